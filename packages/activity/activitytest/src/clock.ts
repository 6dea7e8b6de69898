import type { Clock } from '@samovar/activitycore';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock that stands still unless it is moved. */
export class TestClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;

  /** Default: the beginning of 2026. */
  constructor(start = new Date('2026-01-01T00:00:00Z')) {
    this.#now = start.getTime();
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): Disposable {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  /** How many wait for their time. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and calls what falls due, in the order of time. */
  advance(ms: number): void {
    const to = this.#now + ms;
    for (let timer = this.#next(to); timer !== undefined; timer = this.#next(to)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.fn();
    }
    this.#now = to;
  }

  #next(to: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= to && timer.at < (next?.at ?? Infinity)) next = timer;
    return next;
  }
}
