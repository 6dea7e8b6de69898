import { background, type Context } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { FreshDb } from '../dbtest.ts';

export type OpenDb = () => Promise<FreshDb>;

interface Tables {
  readonly tea_cups: { readonly id: number; readonly tea: string };
}

/** A new database with a table of cups. */
export async function openCups(open: OpenDb): Promise<FreshDb> {
  const opened = await open();
  await opened.db
    .query<Tables>(background)
    .schema.createTable('tea_cups')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('tea', 'text', (column) => column.notNull())
    .execute();
  return opened;
}

export async function pour(db: Db, ctx: Context, id: number, tea = 'assam'): Promise<void> {
  await db.query<Tables>(ctx).insertInto('tea_cups').values({ id, tea }).execute();
}

/** The cups that `ctx` sees, by their numbers. */
export async function cups(db: Db, ctx: Context = background): Promise<number[]> {
  const rows = await db.query<Tables>(ctx).selectFrom('tea_cups').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}
