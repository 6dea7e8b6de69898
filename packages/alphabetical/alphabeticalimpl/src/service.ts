import {
  type Alphabetical,
  DeleteLetterCommand,
  GetLetterQuery,
  type Letter,
  LetterNotFoundError,
  ListCachedLettersQuery,
  letterOf,
} from '@samovar/alphabetical';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { NumberNotFoundError, NumberSet, type Numerical } from '@samovar/numerical';
import type { Initializer } from '@samovar/server';
import { LetterCache } from './cache.ts';
import type { LetterStore } from './store.ts';

/** Letters in a store and, once asked for, in memory. */
export class AlphabeticalService implements Alphabetical, Initializer {
  readonly #bus: Bus;
  readonly #numerical: Numerical;
  readonly #store: LetterStore;
  readonly #cache: LetterCache;

  constructor(bus: Bus, numerical: Numerical, store: LetterStore) {
    this.#bus = bus;
    this.#numerical = numerical;
    this.#store = store;
    this.#cache = new LetterCache(bus);
  }

  init(): void {
    this.#bus.addHandler(GetLetterQuery, (ctx, query) => this.getLetter(ctx, query));
    this.#bus.addHandler(ListCachedLettersQuery, (ctx, query) => this.listCachedLetters(ctx, query));
    this.#bus.addHandler(DeleteLetterCommand, (ctx, command) => this.deleteLetter(ctx, command));
    this.#bus.addEventListener(NumberSet, (ctx, { id }) => this.#forget(ctx, id));
  }

  async getLetter(ctx: Context, query: GetLetterQuery): Promise<Letter> {
    const { id } = GetLetterQuery.parse(query);
    return this.#cache.get(ctx, id, async () => (await this.#store.get(ctx, id)) ?? (await this.#workOut(ctx, id)));
  }

  listCachedLetters(_ctx: Context, query: ListCachedLettersQuery): readonly Letter[] {
    ListCachedLettersQuery.parse(query);
    return this.#cache.letters();
  }

  async deleteLetter(ctx: Context, command: DeleteLetterCommand): Promise<void> {
    const { id } = DeleteLetterCommand.parse(command);
    await this.#forget(ctx, id);
  }

  async #workOut(ctx: Context, id: number): Promise<Letter> {
    return this.#bus.inTransaction(ctx, async (ctx) => {
      // Held while the number is read, or the letter of an old number would be stored behind the back of #forget.
      await this.#store.lock(ctx, id);
      const stored = await this.#store.get(ctx, id);
      if (stored !== undefined) return stored;
      const letter = letterOf(await this.#number(ctx, id));
      await this.#store.add(ctx, id, letter);
      return letter;
    });
  }

  async #number(ctx: Context, id: number): Promise<number> {
    try {
      return await this.#numerical.getNumber(ctx, { id });
    } catch (error) {
      throw error instanceof NumberNotFoundError ? new LetterNotFoundError(id, { cause: error }) : error;
    }
  }

  async #forget(ctx: Context, id: number): Promise<void> {
    await this.#bus.inTransaction(ctx, async (ctx) => {
      await this.#store.lock(ctx, id);
      await this.#store.delete(ctx, id);
      this.#cache.delete(ctx, id);
    });
  }
}
