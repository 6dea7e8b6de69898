import type { Backend, Offset, Parked } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';

const pageSize = 100;

/** How far a durable subscription has come, as it is stored by whoever delivers it. */
export class Standing {
  readonly parked: Parked;
  readonly #backend: Backend;
  readonly #name: string;

  constructor(backend: Backend, name: string) {
    this.#backend = backend;
    this.#name = name;
    this.parked = backend.subscriptions.parked(name);
  }

  get offset(): Offset | undefined {
    return this.#backend.subscriptions.peek(this.#name)?.offset;
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
  firstParked(target: Seq): StoredEvent | undefined {
    for (let after = 0; after < target; ) {
      const rows = this.parked.rows(after, pageSize).filter(({ seq }) => seq <= target);
      const [event] = this.#backend.at(rows.filter(({ request }) => request === '').map(({ seq }) => seq));
      if (event !== undefined) return event;
      after = rows.at(-1)?.seq ?? target;
    }
    return undefined;
  }
}
