import type { Lease, Outcome, Tail } from '@samovar/activity';
import { background, withCancel } from '@samovar/context';
import type { Host } from './host.ts';
import { isStale, outcomeOf } from './outcome.ts';
import type { Process } from './process.ts';

/** A run that takes longer makes sure, again and again, that the lease is still its own. */
const checkMs = 10_000;

/** One run of an activity. */
export class Run {
  readonly #host: Host;
  readonly #lease: Lease;
  readonly #tail: Tail;
  readonly #scope = withCancel(background);
  #isStale = false;
  #isOver = false;
  #check: Promise<void> | undefined;
  #timer: Disposable | undefined;

  constructor(host: Host, lease: Lease, tail: Tail) {
    this.#host = host;
    this.#lease = lease;
    this.#tail = tail;
  }

  /** undefined: the lease was lost meanwhile. Never rejects. */
  async outcome(process: Process): Promise<Outcome | undefined> {
    const { events, policy } = this.#host;
    const { ctx } = this.#scope;
    const tail = this.#tail;
    this.#checkLater();
    const outcome = await outcomeOf(async () => {
      const stream = events.open(ctx, this.#lease.activity.entity, { after: tail, watch: policy.watch });
      return await process(ctx, tail, stream);
    }, tail);
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    this.#scope.cancel();
    // What is stored next must not be overtaken.
    await this.#check;
    return this.#isStale ? undefined : outcome;
  }

  cancel(): void {
    this.#scope.cancel();
  }

  #checkLater(): void {
    this.#timer = this.#host.clock.after(checkMs, () => {
      this.#check = this.#checkLease();
    });
  }

  async #checkLease(): Promise<void> {
    try {
      await this.#host.leases.storeTail(background, this.#lease, this.#tail);
    } catch (error) {
      this.#isStale = isStale(error);
    }
    if (this.#isStale) this.#scope.cancel();
    else if (!this.#isOver) this.#checkLater();
  }
}
