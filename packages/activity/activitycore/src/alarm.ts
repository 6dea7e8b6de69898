import type { Clock } from './clock.ts';

/** Timers are set for no longer, so that one for a time of day is right again after a jump of the clock. */
const longestTimer = 60_000;

/** Calls `fn` at a time of the clock, in milliseconds since 1970, unless it is disposed before. */
export class Alarm implements Disposable {
  readonly at: number;
  readonly #clock: Clock;
  readonly #fn: () => void;
  #timer: Disposable | undefined;

  constructor(clock: Clock, at: number, fn: () => void) {
    this.#clock = clock;
    this.at = at;
    this.#fn = fn;
    this.#wait();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #wait(): void {
    const left = this.at - this.#clock.now();
    this.#timer = this.#clock.after(Math.min(Math.max(left, 0), longestTimer), () => {
      if (this.#clock.now() >= this.at) this.#fn();
      else this.#wait();
    });
  }
}
