import { FakeBus } from '@samovar/bustest';
import { busContract } from '@samovar/bustest/contract';
import { background } from '@samovar/context';
import { connect, type SqlDb } from '@samovar/dbimpl';
import { event } from '@samovar/message';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

// Here and not beside FakeBus: a test package knows no database.

const TeaOrdered = event('kitchen.TeaOrdered', z.object({ table: z.string() }), {
  stream: ({ table }) => `kitchen.${table}`,
});

interface Tables {
  readonly kitchen_bills: { readonly item: string };
}

let db: SqlDb;
beforeAll(async () => {
  db = connect('sqlite::memory:', () => {});
  await db.query(background).schema.createTable('kitchen_bills').addColumn('item', 'text').execute();
});
afterAll(() => db[Symbol.asyncDispose]());
beforeEach(() => db.query<Tables>(background).deleteFrom('kitchen_bills').execute());

busContract('FakeBus over a Db', () => new FakeBus({ db }));

it('shares the transactions of the Db that it is given with the stores on it', async () => {
  const bus = new FakeBus({ db });
  bus.addEventListener(TeaOrdered, async (ctx, { table }) => {
    await db.query<Tables>(ctx).insertInto('kitchen_bills').values({ item: table }).execute();
    if (table === '13') throw new Error('no such table');
  });
  await bus.publish(background, TeaOrdered, { table: '1' });
  await expect(bus.publish(background, TeaOrdered, { table: '13' })).rejects.toThrow('no such table');
  await bus.inTransaction(background, (ctx) => bus.publish(ctx, TeaOrdered, { table: '2' }));
  const rows = await db.query<Tables>(background).selectFrom('kitchen_bills').selectAll().execute();
  expect(rows).toEqual([{ item: '1' }, { item: '2' }]);
});
