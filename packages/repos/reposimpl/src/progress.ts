import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { ScanProgressed, type Uuid } from '@samovar/repos';

const interval = 100;

/** Tells the bus how far a scan is, at most ten times a second. */
export class Progress {
  readonly #bus: Bus;
  readonly #repoId: Uuid;
  #recorded = 0;
  #total: number | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(bus: Bus, repoId: Uuid) {
    this.#bus = bus;
    this.#repoId = repoId;
  }

  get recorded(): number {
    return this.#recorded;
  }

  /** Takes in how many commits are still to come. Not knowing is no fault: the listing itself says what is wrong. */
  async count(remaining: Promise<number>): Promise<void> {
    const before = this.#recorded;
    this.#total = null;
    await remaining.then(
      (count) => {
        this.#total = before + count;
      },
      () => {},
    );
  }

  async add(ctx: Context, commits: number): Promise<void> {
    this.#recorded += commits;
    if (performance.now() - this.#toldAt >= interval) await this.#tell(ctx);
  }

  async finish(ctx: Context): Promise<void> {
    this.#total = this.#recorded;
    await this.#tell(ctx);
  }

  async #tell(ctx: Context): Promise<void> {
    this.#toldAt = performance.now();
    await this.#bus.publish(ctx, ScanProgressed, {
      repoId: this.#repoId,
      recorded: this.#recorded,
      total: this.#total,
    });
  }
}
