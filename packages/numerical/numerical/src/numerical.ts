import type { Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { type ArgsOf, command, event, query } from '@samovar/message';
import { z } from 'zod';

const NumberId = z.object({ id: z.int().nonnegative() });

export const GetNumberQuery = query('numerical.GetNumberQuery', NumberId, z.int());
export type GetNumberQuery = ArgsOf<typeof GetNumberQuery>;

export const SetNumberCommand = command('numerical.SetNumberCommand', NumberId.extend({ value: z.int() }));
export type SetNumberCommand = ArgsOf<typeof SetNumberCommand>;

/** A number has another value than before, or the same again. */
export const NumberSet = event('numerical.NumberSet', NumberId.extend({ value: z.int() }));
export type NumberSet = ArgsOf<typeof NumberSet>;

/** No number was set under this id (numerical.numberNotFound). */
export class NumberNotFoundError extends DomainError {
  constructor(id: number) {
    super('not_found', 'numerical.numberNotFound', { publicMessage: `no number ${id}`, details: { id } });
  }
}

/** Numbers by id. */
export abstract class Numerical {
  /**
   * The value that was set last.
   *
   * @throws {InvalidMessageError} @throws {NumberNotFoundError}
   */
  abstract getNumber(ctx: Context, query: GetNumberQuery): Promise<number>;

  /**
   * Publishes {@link NumberSet} in the same transaction: the value is set when every listener is through.
   *
   * @throws {InvalidMessageError} @throws whatever a listener throws; the number is as before then.
   */
  abstract setNumber(ctx: Context, command: SetNumberCommand): Promise<void>;
}
