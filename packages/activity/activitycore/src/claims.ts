import type { ActivityKey, Lease, Leases } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import type { Clock } from './clock.ts';

/** Whoever waits for a lease. */
export interface Claimant {
  /** It is time to claim again. */
  claim(): Promise<void>;
}

/** Claims leases, and tells those who got none when to try again: one timer for all. */
export class Claims {
  readonly #leases: Leases;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #everyMs: number;
  #waiting = new Set<Claimant>();
  #timer: Disposable | undefined;
  #isFailing = false;

  constructor(leases: Leases, clock: Clock, logger: Logger, everyMs: number) {
    this.#leases = leases;
    this.#clock = clock;
    this.#logger = logger;
    this.#everyMs = everyMs;
  }

  /** undefined: another worker has it, or nobody can say. Never rejects. */
  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    try {
      const lease = await this.#leases.claim(ctx, activity);
      this.#isFailing = false;
      return lease;
    } catch (error) {
      if (!this.#isFailing) this.#logger.warn('leases of activities cannot be claimed: trying again', { err: error });
      this.#isFailing = true;
      return undefined;
    }
  }

  /** Has `claimant` claim again in a while, once. */
  wait(claimant: Claimant): void {
    this.#waiting.add(claimant);
    this.#timer ??= this.#clock.after(this.#everyMs, () => this.#claimAll());
  }

  forget(claimant: Claimant): void {
    this.#waiting.delete(claimant);
    if (this.#waiting.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #claimAll(): void {
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const claimant of waiting) void claimant.claim();
  }
}
