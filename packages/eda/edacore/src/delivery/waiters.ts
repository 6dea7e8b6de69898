import { type Context, throwIfDone } from '@samovar/context';
import type { Seq } from '../ids.ts';

interface Waiter {
  readonly owner: object;
  readonly target: Seq;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Who waits until everything up to a place in the log is acknowledged. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  #first: Seq | undefined;

  get any(): boolean {
    return this.#waiting.size > 0;
  }

  /** The first place that somebody waits for. */
  get first(): Seq | undefined {
    return this.#first;
  }

  /** Resolves when `reached` is told of `target` or more; `owner` may give up. Rejects when `ctx` is done first. */
  wait(ctx: Context, owner: object, target: Seq): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = ctx;
      const leave = (then: () => void) => () => {
        if (!this.#waiting.delete(waiter)) return;
        if (waiter.target === this.#first) this.#first = this.#least();
        signal.removeEventListener('abort', abort);
        then();
      };
      const waiter: Waiter = {
        owner,
        target,
        resolve: leave(resolve),
        reject: (error) => leave(() => reject(error))(),
      };
      const abort = () => {
        try {
          throwIfDone(ctx);
        } catch (error) {
          waiter.reject(error);
        }
      };
      this.#waiting.add(waiter);
      this.#first = Math.min(target, this.#first ?? target);
      signal.addEventListener('abort', abort);
      abort();
    });
  }

  /** Everything up to `low` is acknowledged. */
  reached(low: Seq): void {
    for (const waiter of this.#waiting) if (waiter.target <= low) waiter.resolve();
  }

  /** The event at `seq` is parked, with which nobody gets further. */
  parked(seq: Seq, error: unknown): void {
    for (const waiter of this.#waiting) if (waiter.target >= seq) waiter.reject(error);
  }

  /** Ends the waiting of `owner`, or of all. */
  reject(error: unknown, owner?: object): void {
    for (const waiter of this.#waiting) if (owner === undefined || waiter.owner === owner) waiter.reject(error);
  }

  #least(): Seq | undefined {
    let least: Seq | undefined;
    for (const { target } of this.#waiting) if (least === undefined || target < least) least = target;
    return least;
  }
}
