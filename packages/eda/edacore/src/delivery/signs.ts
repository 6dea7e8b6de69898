import type { Sign } from '../stored.ts';

/** The signs of life of the processes that have a subscription open, as this one sees them. */
export class Signs {
  readonly #owner: string;
  readonly #leaseMs: number;
  /** The last sign of each, and when it was first seen, as `performance.now()` tells it. */
  #seen = new Map<number, { readonly beat: number; readonly at: number }>();

  /** `owner` names this process. */
  constructor(owner: string, leaseMs: number) {
    this.#owner = owner;
    this.#leaseMs = leaseMs;
  }

  /** Takes in the signs of all there are now. */
  see(signs: readonly Sign[]): void {
    const now = performance.now();
    const seen = signs.map(({ epoch, beat }) => {
      const before = this.#seen.get(epoch);
      return [epoch, before?.beat === beat ? before : { beat, at: now }] as const;
    });
    this.#seen = new Map(seen);
  }

  /**
   * Whether a process other than this one, or what this one was before, has left or gave no sign for as long as the lease,
   * whatever the wall clock says.
   */
  isGone({ owner, epoch, beat, expires }: Sign): boolean {
    if (owner === '' || owner === this.#owner || expires <= Date.now()) return true;
    const seen = this.#seen.get(epoch);
    return seen?.beat === beat && performance.now() - seen.at >= this.#leaseMs;
  }
}
