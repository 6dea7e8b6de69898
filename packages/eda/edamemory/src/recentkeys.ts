import type { Seq } from '@samovar/edacore';

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

  get(stream: string, key: string): Stored | undefined {
    this.#forget();
    return this.#keys.get(`${stream} ${key}`)?.stored;
  }

  add(stream: string, key: string, stored: Stored): void {
    this.#keys.set(`${stream} ${key}`, { stored, until: performance.now() + window });
  }

  #forget(): void {
    const now = performance.now();
    for (const [key, { until }] of this.#keys) {
      if (until > now) break;
      this.#keys.delete(key);
    }
  }
}
