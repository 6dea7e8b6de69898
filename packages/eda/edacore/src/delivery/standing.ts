import type { Backend, LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Offset, Parked } from '../stored.ts';
import type { Terms } from './options.ts';
import { wholeOffset } from './shares.ts';

const pageSize = 100;

/** How far a durable subscription has come, as it is stored by those who deliver it. */
export class Standing {
  readonly parked: Parked;
  readonly #backend: Backend;
  readonly #terms: Pick<Terms, 'name' | 'selector'>;
  #lag = 0;

  constructor(backend: Backend, terms: Pick<Terms, 'name' | 'selector'>) {
    this.#backend = backend;
    this.#terms = terms;
    this.parked = backend.subscriptions.parked(terms.name);
  }

  /** With the pending events of all processes. */
  get offset(): Offset | undefined {
    const stored = this.#backend.subscriptions.peek(this.#terms.name);
    return stored && wholeOffset(stored);
  }

  /** How many matching events are not acknowledged; where that takes a question to a server, as it was at the last call. */
  get lag(): number {
    const { offset } = this;
    const lag = offset === undefined ? 0 : this.#backend.lag(this.#terms.selector, offset, this.parked);
    if (typeof lag === 'number') return lag;
    lag.then(
      (count) => {
        this.#lag = count;
      },
      () => {},
    );
    return this.#lag;
  }

  /** Every matching event up to here is acknowledged. */
  get low(): Seq {
    const { offset } = this;
    if (offset === undefined) return 0;
    const end = offset.high + 1;
    const firsts = [offset.pending[0]?.[0], this.parked.rows(0, 1)[0]?.seq, this.parked.firstWaiting()];
    return Math.min(end, ...firsts.map((first) => first ?? end)) - 1;
  }

  /** The first parked event up to `target` that still exists. */
  async firstParked(target: Seq): Promise<LogEvent | undefined> {
    for (let after = 0; after < target; ) {
      const rows = this.parked.rows(after, pageSize).filter(({ seq }) => seq <= target);
      const [event] = await this.#backend.at(rows.filter(({ request }) => request === '').map(({ seq }) => seq));
      if (event !== undefined) return event;
      after = rows.at(-1)?.seq ?? target;
    }
    return undefined;
  }
}
