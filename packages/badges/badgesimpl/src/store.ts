import type { Badge } from '@samovar/badges';
import type { Context } from '@samovar/context';
import type { Db } from '@samovar/db';

/** Where badges are kept, and what they are awarded for. */
export interface BadgeStore {
  /** The stickers that the user has received in all, these `count` among them. Others who add wait until it is committed. */
  addReceived(ctx: Context, userId: string, count: number): Promise<number>;
  /** One that the user has not got yet. */
  addBadge(ctx: Context, userId: string, badge: Badge): Promise<void>;
  /** In any order. */
  badges(ctx: Context, userId: string): Promise<readonly Badge[]>;
}

interface Tables {
  readonly badges_received: { readonly user_id: string; readonly count: number };
  readonly badges_awarded: { readonly user_id: string; readonly badge: Badge };
}

/** Badges in tables, in the transaction that `ctx` carries. */
export function sqlBadgeStore(db: Db): BadgeStore {
  return {
    async addReceived(ctx, userId, count) {
      const row = await db
        .query<Tables>(ctx)
        .insertInto('badges_received')
        .values({ user_id: userId, count })
        .onConflict((conflict) =>
          conflict
            .column('user_id')
            .doUpdateSet((row) => ({ count: row('badges_received.count', '+', row.ref('excluded.count')) })),
        )
        .returning('count')
        .executeTakeFirstOrThrow();
      return row.count;
    },

    async addBadge(ctx, userId, badge) {
      await db.query<Tables>(ctx).insertInto('badges_awarded').values({ user_id: userId, badge }).execute();
    },

    async badges(ctx, userId) {
      const rows = await db
        .query<Tables>(ctx)
        .selectFrom('badges_awarded')
        .select('badge')
        .where('user_id', '=', userId)
        .execute();
      return rows.map(({ badge }) => badge);
    },
  };
}
