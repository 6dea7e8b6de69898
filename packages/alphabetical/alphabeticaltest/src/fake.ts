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

/** Letters in memory, answering on `bus` too. `numerical` says which there are: a FakeNumerical on the same bus. */
export class FakeAlphabetical implements Alphabetical {
  readonly #bus: Bus;
  readonly #numerical: Numerical;
  readonly #cached = new Map<number, Letter>();

  constructor(bus: Bus, numerical: Numerical) {
    this.#bus = bus;
    this.#numerical = numerical;
    bus.addHandler(GetLetterQuery, (ctx, query) => this.getLetter(ctx, query));
    bus.addHandler(ListCachedLettersQuery, (ctx, query) => this.listCachedLetters(ctx, query));
    bus.addHandler(DeleteLetterCommand, (ctx, command) => this.deleteLetter(ctx, command));
    bus.addEventListener(NumberSet, (ctx, { id }) => this.#forget(ctx, id));
  }

  async getLetter(ctx: Context, query: GetLetterQuery): Promise<Letter> {
    const { id } = GetLetterQuery.parse(query);
    try {
      const letter = letterOf(await this.#numerical.getNumber(ctx, { id }));
      this.#bus.afterCommit(ctx, () => void this.#cached.set(id, letter));
      return letter;
    } catch (error) {
      throw error instanceof NumberNotFoundError ? new LetterNotFoundError(id, { cause: error }) : error;
    }
  }

  listCachedLetters(_ctx: Context, query: ListCachedLettersQuery): readonly Letter[] {
    ListCachedLettersQuery.parse(query);
    return [...this.#cached].sort(([a], [b]) => a - b).map(([, letter]) => letter);
  }

  async deleteLetter(ctx: Context, command: DeleteLetterCommand): Promise<void> {
    const { id } = DeleteLetterCommand.parse(command);
    this.#forget(ctx, id);
  }

  #forget(ctx: Context, id: number): void {
    this.#bus.afterCommit(ctx, () => void this.#cached.delete(id));
  }
}
