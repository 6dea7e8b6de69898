import type { Letter } from '@samovar/alphabetical';
import type { Context } from '@samovar/context';
import type { Db } from '@samovar/db';

/** Where letters are kept. */
export interface LetterStore {
  get(ctx: Context, id: number): Promise<Letter | undefined>;
  /** One that is not there yet. */
  add(ctx: Context, id: number, letter: Letter): Promise<void>;
  delete(ctx: Context, id: number): Promise<void>;
  /** Until the transaction in `ctx` is over, others that lock this id wait, whether there is a letter or not. */
  lock(ctx: Context, id: number): Promise<void>;
}

interface Tables {
  readonly alphabetical_letters: { readonly id: number; readonly letter: Letter };
}

/** Letters in a table, in the transaction that `ctx` carries. */
export function sqlLetterStore(db: Db): LetterStore {
  return {
    async get(ctx, id) {
      const row = await db
        .query<Tables>(ctx)
        .selectFrom('alphabetical_letters')
        .select('letter')
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.letter;
    },

    async add(ctx, id, letter) {
      await db.query<Tables>(ctx).insertInto('alphabetical_letters').values({ id, letter }).execute();
    },

    async delete(ctx, id) {
      await db.query<Tables>(ctx).deleteFrom('alphabetical_letters').where('id', '=', id).execute();
    },

    async lock(ctx, id) {
      await db.lock(ctx, `alphabetical_letters ${id}`);
    },
  };
}
