import type { Context } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { EventId } from '@samovar/eda';

/** Where the counts of stickers are kept. */
export interface CountStore {
  get(ctx: Context, userId: string): Promise<number | undefined>;
  /** Adds `count` at once with the event that it comes from; nothing if that, or a later one, was added before. */
  add(ctx: Context, userId: string, count: number, event: EventId): Promise<void>;
}

interface Tables {
  readonly stickers_counts: { readonly user_id: string; readonly count: number; readonly last_event: EventId };
}

/** Counts in a table, in the transaction that `ctx` carries. */
export function sqlCountStore(db: Db): CountStore {
  return {
    async get(ctx, userId) {
      const row = await db
        .query<Tables>(ctx)
        .selectFrom('stickers_counts')
        .select('count')
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return row?.count;
    },

    async add(ctx, userId, count, event) {
      await db
        .query<Tables>(ctx)
        .insertInto('stickers_counts')
        .values({ user_id: userId, count, last_event: event })
        .onConflict((conflict) =>
          conflict
            .column('user_id')
            .doUpdateSet((row) => ({
              count: row('stickers_counts.count', '+', row.ref('excluded.count')),
              last_event: row.ref('excluded.last_event'),
            }))
            .whereRef('stickers_counts.last_event', '<', 'excluded.last_event'),
        )
        .execute();
    },
  };
}
