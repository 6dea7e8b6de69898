import type { DurableEvents } from '@samovar/bus';
import { busContract } from '@samovar/bustest/contract';
import { background, type Context, contextKey, withValue } from '@samovar/context';
import { connect, type SqlDb } from '@samovar/dbimpl';
import { checkStream, type NewEvent } from '@samovar/eda';
import { event } from '@samovar/message';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { InProcessBus } from './bus.ts';

const TeaOrdered = event('kitchen.TeaOrdered', z.object({ table: z.string() }), {
  stream: ({ table }) => `kitchen.${table}`,
  version: 2,
  upcast: { 1: (old: object) => old },
});

interface Tables {
  readonly kitchen_rows: { readonly row: string };
}

const causeKey = contextKey('cause', '');

/** Rows beside the listeners' own: what DurableEvents promise, and no more. */
class RowEvents implements DurableEvents {
  async add(ctx: Context, stream: string, { type, schema, data }: NewEvent): Promise<Context> {
    await write(ctx, `${checkStream(stream)}: ${type} ${schema} ${new TextDecoder().decode(data?.encode())}`);
    return withValue(ctx, causeKey, stream);
  }
}

let db: SqlDb;
beforeAll(async () => {
  db = connect('sqlite::memory:', () => {});
  await db.query(background).schema.createTable('kitchen_rows').addColumn('row', 'text').execute();
});
afterAll(() => db[Symbol.asyncDispose]());
beforeEach(() => db.query<Tables>(background).deleteFrom('kitchen_rows').execute());

async function write(ctx: Context, row: string): Promise<void> {
  await db.query<Tables>(ctx).insertInto('kitchen_rows').values({ row }).execute();
}

async function rows(ctx: Context = background): Promise<string[]> {
  const found = await db.query<Tables>(ctx).selectFrom('kitchen_rows').select('row').execute();
  return found.map(({ row }) => row);
}

const makeBus = () => new InProcessBus(db, new RowEvents());

busContract('InProcessBus', makeBus);

it('stores a durable event first, then runs its listeners under what it leads to, and commits all at once', async () => {
  const bus = makeBus();
  bus.addEventListener(TeaOrdered, async (ctx) => {
    expect(await rows(ctx)).toHaveLength(1);
    await write(ctx, `because of ${ctx.value(causeKey)}`);
    expect(await rows()).toEqual([]);
  });
  await bus.publish(background, TeaOrdered, { table: '7' });
  expect(await rows()).toEqual(['kitchen.7: kitchen.TeaOrdered 2 {"table":"7"}', 'because of kitchen.7']);
});

it('leaves nothing of a durable event whose listener fails', async () => {
  const bus = makeBus();
  bus.addEventListener(TeaOrdered, (ctx) => write(ctx, 'billed'));
  bus.addEventListener(TeaOrdered, () => Promise.reject(new Error('burnt')));
  await expect(bus.publish(background, TeaOrdered, { table: '7' })).rejects.toThrow('burnt');
  expect(await rows()).toEqual([]);
});

it('keeps or leaves durable events with the transaction that they are published in', async () => {
  const bus = makeBus();
  bus.addEventListener(TeaOrdered, (ctx) => write(ctx, 'billed'));
  const order = (table: string, end: () => void) =>
    bus.inTransaction(background, async (ctx) => {
      await write(ctx, `table ${table} taken`);
      await bus.publish(ctx, TeaOrdered, { table });
      end();
    });
  const raise = () => {
    throw new Error('spilt');
  };
  await expect(order('1', raise)).rejects.toThrow('spilt');
  expect(await rows()).toEqual([]);
  await order('2', () => {});
  expect(await rows()).toEqual(['table 2 taken', 'kitchen.2: kitchen.TeaOrdered 2 {"table":"2"}', 'billed']);
});
