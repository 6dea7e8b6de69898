import { randomUUID } from 'node:crypto';
import type { Context } from '@samovar/context';
import type { LeaseRow, Queue } from './queue.ts';

/** Another relay has the lease now, or may have it. */
export class LeaseLostError extends Error {
  constructor() {
    super('the lease of the outbox relay was lost');
    this.name = 'LeaseLostError';
  }
}

/** What lets one relay change rows, and no relay before it. */
export interface Fence {
  readonly owner: string;
  readonly epoch: number;
  /** The lease was held at `at`, on the monotonic clock. */
  renewed(at: number): void;
}

/** Part of the lease's time for which its holder trusts it: others count from when they have seen it renewed. */
const trusted = 0.75;

/** The lease while this process holds it. */
export class Lease implements Fence {
  readonly owner: string;
  readonly epoch: number;
  readonly #ms: number;
  #at: number;

  constructor(owner: string, epoch: number, ms: number, at: number) {
    this.owner = owner;
    this.epoch = epoch;
    this.#ms = ms;
    this.#at = at;
  }

  renewed(at: number): void {
    this.#at = at;
  }

  /** Milliseconds for which it is held for sure; 0: not any more. */
  get remaining(): number {
    return Math.max(0, this.#at + this.#ms * trusted - performance.now());
  }

  /** Milliseconds until it should be renewed. */
  get untilBeat(): number {
    return Math.max(0, this.#at + this.#ms / 3 - performance.now());
  }
}

/**
 * Takes the lease when it is free, or when its holder has not shown a sign of life for the lease's time by the clock of
 * this process: no two machines' clocks are compared.
 */
export class LeaseTaker {
  readonly #queue: Queue;
  readonly #ms: number;
  readonly #owner = randomUUID();
  #seen: (LeaseRow & { readonly at: number }) | undefined;

  constructor(queue: Queue, ms: number) {
    this.#queue = queue;
    this.#ms = ms;
  }

  async take(ctx: Context): Promise<Lease | undefined> {
    const row = await this.#queue.lease(ctx);
    const at = performance.now();
    if (this.#seen?.epoch !== row.epoch || this.#seen.beat !== row.beat) this.#seen = { ...row, at };
    const isFree = row.owner === null || row.owner === this.#owner || at - this.#seen.at >= this.#ms;
    if (!isFree || !(await this.#queue.takeLease(ctx, row, this.#owner))) return undefined;
    return new Lease(this.#owner, row.epoch + 1, this.#ms, at);
  }
}
