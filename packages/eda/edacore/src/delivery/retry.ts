const first = 100;
const longest = 30_000;

/** Milliseconds until an event is due again after `attempts` failures: doubling, with jitter so that failures spread. */
export function retryDelay(attempts: number): number {
  const full = Math.min(longest, first * 2 ** (attempts - 1));
  return Math.round(full * (0.5 + Math.random() / 2));
}

/** What is to be done later, unless all is called off before. */
export class Timers {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** `delay` in milliseconds. */
  add(delay: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delay);
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
