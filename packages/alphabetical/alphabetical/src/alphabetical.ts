import type { Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { type ArgsOf, command, query } from '@samovar/message';
import { z } from 'zod';

/** One letter of the alphabet, lower case. */
export const Letter = z.string().regex(/^[a-z]$/, 'is not one letter from a to z');
export type Letter = z.infer<typeof Letter>;

/** The letter of a whole number: 1 is a, 26 is z. It goes on in a circle both ways: 27 is a again, and 0 is z. */
export function letterOf(number: number): Letter {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  return letters.at((number - 1) % letters.length) as Letter;
}

const LetterId = z.object({ id: z.int().nonnegative() });

export const GetLetterQuery = query('alphabetical.GetLetterQuery', LetterId, Letter);
export type GetLetterQuery = ArgsOf<typeof GetLetterQuery>;

export const ListCachedLettersQuery = query(
  'alphabetical.ListCachedLettersQuery',
  z.object({}),
  z.array(Letter).readonly(),
);
export type ListCachedLettersQuery = ArgsOf<typeof ListCachedLettersQuery>;

export const DeleteLetterCommand = command('alphabetical.DeleteLetterCommand', LetterId);
export type DeleteLetterCommand = ArgsOf<typeof DeleteLetterCommand>;

/** There is no number with this id that a letter could stand for (alphabetical.letterNotFound). */
export class LetterNotFoundError extends DomainError {
  constructor(id: number, options: { readonly cause?: unknown } = {}) {
    super('not_found', 'alphabetical.letterNotFound', {
      publicMessage: `no letter ${id}`,
      details: { id },
      ...options,
    });
  }
}

/**
 * Letters by the ids of numbers: each is the {@link letterOf} of the number that Numerical has under its id. It remembers
 * them for the process it runs in: what another process sets or deletes does not reach that memory.
 */
export abstract class Alphabetical {
  /**
   * Works the letter out when it is first asked for, and keeps it until it is deleted or its number is set. Inside a
   * transaction, it is the letter that this transaction has made it.
   *
   * @throws {InvalidMessageError} @throws {LetterNotFoundError}
   */
  abstract getLetter(ctx: Context, query: GetLetterQuery): Promise<Letter>;

  /**
   * The letters that this process has in memory, in the order of their ids; a transaction changes them when it is
   * committed.
   *
   * @throws {InvalidMessageError}
   */
  abstract listCachedLetters(ctx: Context, query: ListCachedLettersQuery): readonly Letter[];

  /** Deleting an absent letter is no error; asked for again, it is worked out again. @throws {InvalidMessageError} */
  abstract deleteLetter(ctx: Context, command: DeleteLetterCommand): Promise<void>;
}
