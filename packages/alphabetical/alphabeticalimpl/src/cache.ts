import type { Letter } from '@samovar/alphabetical';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';

/** Committed letters in memory: what a transaction does to them counts when it is committed, and not if it rolls back. */
export class LetterCache {
  readonly #bus: Bus;
  readonly #letters = new Map<number, Letter>();
  #deletions = 0;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** The letter in memory, or what `read` gives; that is kept, unless something was deleted since `read` began. */
  async get(ctx: Context, id: number, read: () => Promise<Letter>): Promise<Letter> {
    // A transaction may have changed the letter: what is in memory is what was before.
    const cached = this.#bus.isInTransaction(ctx) ? undefined : this.#letters.get(id);
    if (cached !== undefined) return cached;
    const before = this.#deletions;
    const letter = await read();
    this.#bus.afterCommit(ctx, () => {
      // A deletion may have been committed between the reading and now: whose letter it was does not matter.
      if (this.#deletions === before) this.#letters.set(id, letter);
    });
    return letter;
  }

  delete(ctx: Context, id: number): void {
    this.#bus.afterCommit(ctx, () => {
      this.#deletions++;
      this.#letters.delete(id);
    });
  }

  /** In the order of their ids. */
  letters(): readonly Letter[] {
    return [...this.#letters].sort(([a], [b]) => a - b).map(([, letter]) => letter);
  }
}
