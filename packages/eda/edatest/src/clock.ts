/** A clock that stands still unless it is moved, such as `connectMemory` of `@samovar/edamemory` takes. */
export class ManualClock {
  #now: number;
  #elapsed = 0;

  /** @throws {RangeError} if `start` is no valid Date of 1970 or later. */
  constructor(start: Date) {
    this.#now = checked(start.getTime());
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** Lets time pass. @throws {RangeError} unless `ms` is a whole number from 0 up. */
  advance(ms: number): void {
    this.#now = checked(this.#now + checked(ms));
    this.#elapsed += ms;
  }

  /** Sets the time of day, backwards too, as an operator might; no time passes. @throws {RangeError} as the constructor. */
  set(to: Date): void {
    this.#now = checked(to.getTime());
  }
}

function checked(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms >= 2 ** 48)
    throw new RangeError(`a clock cannot be moved by or to ${ms}`);
  return ms;
}
