import { background, CanceledError, type Context, withCancel } from '@samovar/context';
import { DatabaseUnavailableError, TransactionConflictError } from '@samovar/db';
import { type FreshDb, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';

let server: TestPostgres;
let place: FreshDb<SqlDb>;
let db: SqlDb;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  place = await server.freshDb((url) => connect(url, () => {}));
  db = place.db;
  await sql`create table cups (id integer primary key, tea integer not null)`.execute(db.query(background));
  await sql`insert into cups values (1, 0), (2, 0)`.execute(db.query(background));
});

afterEach(() => place[Symbol.asyncDispose]());

const fill = (ctx: Context, id: number) => sql`update cups set tea = tea + 1 where id = ${id}`.execute(db.query(ctx));

/** Two transactions that wait for each other: PostgreSQL ends one of them. */
function deadlock(retry: boolean): Promise<PromiseSettledResult<void>[]> {
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const run = (first: 0 | 1) =>
    db.inTransaction(
      background,
      async (ctx) => {
        await fill(ctx, first + 1);
        both[first].resolve();
        await both[1 - first]?.promise;
        await fill(ctx, 2 - first);
      },
      { retry },
    );
  return Promise.allSettled([run(0), run(1)]);
}

it('reports a deadlock as a conflict, and gets out of it when asked to try again', async () => {
  const results = await deadlock(false);
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(reasons).toEqual([expect.any(TransactionConflictError)]);
  expect(await deadlock(true)).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
});

it('commits nothing once a statement was refused', async () => {
  const attempt = db.inTransaction(background, async (ctx) => {
    await fill(ctx, 1);
    await expect(sql`insert into cups values (1, 0)`.execute(db.query(ctx))).rejects.toThrow(/duplicate key/);
  });
  await expect(attempt).rejects.toThrow();
  const { rows } = await sql`select sum(tea) as tea from cups`.execute(db.query(background));
  expect(rows).toEqual([{ tea: 0 }]);
});

it('does not wait for a connection longer than the context lasts, and loses none by that', async () => {
  const gate = Promise.withResolvers<void>();
  const started: Promise<void>[] = [];
  const holders = Array.from({ length: 10 }, () => {
    const begun = Promise.withResolvers<void>();
    started.push(begun.promise);
    return db.inTransaction(background, async () => {
      begun.resolve();
      await gate.promise;
    });
  });
  await Promise.all(started);
  const { ctx, cancel } = withCancel(background);
  const fn = vi.fn(async () => {});
  const waiting = Array.from({ length: 10 }, () => db.inTransaction(ctx, fn));
  cancel();
  for (const result of await Promise.allSettled(waiting)) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(CanceledError) });
  }
  gate.resolve();
  await Promise.all(holders);
  await Promise.all(Array.from({ length: 10 }, () => db.inTransaction(background, (ctx) => fill(ctx, 1))));
  expect(fn).not.toHaveBeenCalled();
});

it('reports lost connections, and makes new ones', async () => {
  const end = sql`select pg_terminate_backend(pg_backend_pid())`;
  await expect(end.execute(db.query(background))).rejects.toThrow(DatabaseUnavailableError);
  const inside = db.inTransaction(background, (ctx) => end.execute(db.query(ctx)));
  await expect(inside).rejects.toThrow(DatabaseUnavailableError);
  await db.inTransaction(background, (ctx) => fill(ctx, 1));
});

it('reports a server that is not there, without its password', async () => {
  await using nowhere = connect('postgres://ann:hush@127.0.0.1:1/cups', () => {});
  const read = sql`select 1`.execute(nowhere.query(background));
  await expect(read).rejects.toThrow(DatabaseUnavailableError);
  await expect(read).rejects.toThrow('the database cannot be reached: connect ECONNREFUSED 127.0.0.1:1');
  const error = await nowhere.inTransaction(background, async () => {}, { retry: true }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DatabaseUnavailableError);
  expect(String(error)).not.toContain('hush');
});
