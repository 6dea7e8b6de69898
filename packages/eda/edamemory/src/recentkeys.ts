import type { Seq } from '@samovar/edacore';
import type { MemoryClock } from './clock.ts';

/** Milliseconds that a key is remembered, on a clock that nobody sets. */
const window = 120_000;

interface Stored {
  readonly seq: Seq;
  readonly count: number;
  readonly clock: number;
}

/** What was stored under which idempotency key lately. */
export class RecentKeys {
  /** In the order in which they were added. */
  readonly #keys = new Map<string, { readonly stored: Stored; readonly until: number }>();
  readonly #clock: MemoryClock;

  constructor(clock: MemoryClock) {
    this.#clock = clock;
  }

  get(stream: string, key: string): Stored | undefined {
    this.#forget();
    return this.#keys.get(`${stream} ${key}`)?.stored;
  }

  add(stream: string, key: string, stored: Stored): void {
    this.#keys.set(`${stream} ${key}`, { stored, until: this.#clock.elapsed() + window });
  }

  #forget(): void {
    const now = this.#clock.elapsed();
    for (const [key, { until }] of this.#keys) {
      if (until > now) break;
      this.#keys.delete(key);
    }
  }
}
