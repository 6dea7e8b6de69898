interface Blocked {
  readonly seq: number;
  readonly failures: number;
  /** On the monotonic clock. */
  readonly until: number;
}

const firstMs = 100;
const longestMs = 30_000;
/** Of more than these, the oldest are forgotten: they are tried again sooner than they would be. */
const maxBlocked = 100_000;

/**
 * The streams whose oldest row could not be sent, and when to try again. Kept in memory: a relay that starts tries at
 * once, and no clock is compared with that of another machine.
 */
export class Backoff {
  readonly #blocked = new Map<string, Blocked>();

  /** True if the stream flowed until now. */
  fail(stream: string, seq: number): boolean {
    const before = this.#blocked.get(stream);
    const failures = (before?.failures ?? 0) + 1;
    const bound = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20));
    this.#blocked.delete(stream);
    this.#blocked.set(stream, { seq, failures, until: performance.now() + bound * (0.5 + Math.random() / 2) });
    const [oldest] = this.#blocked.keys();
    if (this.#blocked.size > maxBlocked && oldest !== undefined) this.#blocked.delete(oldest);
    return before === undefined;
  }

  /** True if the stream was blocked until now. */
  clear(stream: string): boolean {
    return this.#blocked.delete(stream);
  }

  isBlocked(stream: string): boolean {
    return this.#blocked.has(stream);
  }

  /** Whether the stream may be tried; `first` is its oldest row, where that is known. */
  isDue(stream: string, first?: number): boolean {
    const blocked = this.#blocked.get(stream);
    if (blocked === undefined) return true;
    // Another process has given up the row that blocked it.
    if (first !== undefined && first !== blocked.seq) return this.clear(stream);
    return performance.now() >= blocked.until;
  }
}
