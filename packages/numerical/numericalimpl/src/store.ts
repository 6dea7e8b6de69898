import type { Context } from '@samovar/context';
import type { Db } from '@samovar/db';

/** Where numbers are kept. */
export interface NumberStore {
  get(ctx: Context, id: number): Promise<number | undefined>;
  set(ctx: Context, id: number, value: number): Promise<void>;
}

interface Tables {
  readonly numerical_numbers: { readonly id: number; readonly value: number };
}

/** Numbers in a table, in the transaction that `ctx` carries. */
export function sqlNumberStore(db: Db): NumberStore {
  return {
    async get(ctx, id) {
      const row = await db
        .query<Tables>(ctx)
        .selectFrom('numerical_numbers')
        .select('value')
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.value;
    },

    async set(ctx, id, value) {
      await db
        .query<Tables>(ctx)
        .insertInto('numerical_numbers')
        .values({ id, value })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ value }))
        .execute();
    },
  };
}
