import { type Context, background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { FlushInTransactionError } from '@samovar/outbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { numbered, numbers, openDb, TestOutbox } from '../testing.ts';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres[Symbol.asyncDispose]());

describe.each([
  ['SQLite', () => freshSqlite(openDb)],
  ['PostgreSQL', () => postgres.freshDb(openDb)],
] as const)('on %s', (_, open) => {
  let opened: FreshDb<Db & AsyncDisposable>;
  let conn: Conn;
  let test: TestOutbox;

  beforeEach(async () => {
    opened = await open();
    conn = await connect('memory:');
    test = new TestOutbox(opened.db, conn).start();
  });
  afterEach(async () => {
    await test[Symbol.asyncDispose]();
    await conn.close();
    await opened[Symbol.asyncDispose]();
  });

  it('a rollback leaves no row, and a commit sends all of them', async () => {
    const { db } = opened;
    const { outbox } = test;
    const failing = db.inTransaction(ctx, async (ctx) => {
      await outbox.add(ctx, 's', numbered(1));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await outbox.getStatus(ctx, {})).toEqual({ waiting: 0, stuck: 0, skipped: 0, oldest: null });
    await db.inTransaction(ctx, async (ctx) => {
      const inner = await outbox.add(ctx, 's', numbered(2));
      await outbox.add(inner, 's', numbered(3));
      expect(await numbers(conn, 's')).toEqual([]);
    });
    await outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual([2, 3]);
  });

  it('flushed is refused inside of a transaction, whose rows it would wait for', async () => {
    const { outbox } = test;
    let over = ctx;
    await opened.db.inTransaction(ctx, async (ctx) => {
      over = await outbox.add(ctx, 's', numbered(1));
      await expect(outbox.flushed(ctx)).rejects.toThrow(FlushInTransactionError);
      await expect(outbox.flushed(over, 'other')).rejects.toThrow(FlushInTransactionError);
    });
    await outbox.flushed(over);
    expect(await numbers(conn, 's')).toEqual([1]);
  });

  it('transactions that add to one stream take turns, and its events come in the order of their commits', async () => {
    const { db } = opened;
    const { outbox } = test;
    const added = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let isCommitted = false;
    let overtook = false;
    const first = db.inTransaction(ctx, async (ctx) => {
      await outbox.add(ctx, 's', numbered(1));
      added.resolve();
      await gate.promise;
    });
    await added.promise;
    const second = outbox
      .add(ctx, 's', numbered(2))
      .then(() => outbox.flushed(ctx, 's'))
      .then(() => {
        overtook = !isCommitted;
      });
    // Time enough for the second to be committed and sent, if it did not wait.
    if (db.dialect === 'postgres') {
      await outbox.add(ctx, 'other', numbered(3));
      await outbox.flushed(ctx, 'other');
      await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    isCommitted = true;
    gate.resolve();
    await Promise.all([first, second]);
    await outbox.flushed(ctx);
    expect(overtook).toBe(false);
    expect(await numbers(conn, 's')).toEqual([1, 2]);
  });

  it('transactions that add to two streams crosswise may conflict, and lose nothing when retried', async () => {
    const { db } = opened;
    const { outbox } = test;
    const both = async (n: number, ...streams: readonly string[]) => {
      const add = async (ctx: Context) => {
        for (const stream of streams) await outbox.add(ctx, stream, numbered(n));
      };
      await db.inTransaction(ctx, add, { retry: true });
    };
    await Promise.all(range(4).map((n) => (n % 2 === 0 ? both(n, 'a', 'b') : both(n, 'b', 'a'))));
    await outbox.flushed(ctx);
    const [a, b] = [await numbers(conn, 'a'), await numbers(conn, 'b')];
    expect(a.toSorted((x, y) => x - y)).toEqual(range(4));
    expect(b).toEqual(a);
  });
});
