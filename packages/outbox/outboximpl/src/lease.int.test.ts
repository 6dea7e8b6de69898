import { background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { connect } from '@samovar/edaimpl';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { numbered, openDb, TestOutbox } from '../testing.ts';
import { LeaseLostError, LeaseTaker } from './lease.ts';
import { SqlQueue } from './queue.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres[Symbol.asyncDispose]());

const nothing = { sent: [], failed: [], notBegun: [], begun: [] };
const leaseMs = 300;

describe.each([
  ['SQLite', () => freshSqlite(openDb)],
  ['PostgreSQL', () => postgres.freshDb(openDb)],
] as const)('the lease on %s', (_, open) => {
  let opened: FreshDb<Db & AsyncDisposable>;
  let queue: SqlQueue;

  beforeEach(async () => {
    opened = await open();
    queue = new SqlQueue(opened.db);
  });
  afterEach(() => opened[Symbol.asyncDispose]());

  it('is held by one, and is free at once when given up', async () => {
    const [a, b] = [new LeaseTaker(queue, leaseMs), new LeaseTaker(queue, leaseMs)];
    const taken = await Promise.all([a.take(ctx), b.take(ctx)]);
    const [lease] = taken.filter((lease) => lease !== undefined);
    expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
    const other = taken[0] === undefined ? a : b;
    expect(await other.take(ctx)).toBeUndefined();
    if (lease !== undefined) await queue.freeLease(ctx, lease);
    expect(await other.take(ctx)).toMatchObject({ epoch: 2 });
  });

  it('stays with whom shows signs of life, and goes on when they end', async () => {
    const [a, b] = [new LeaseTaker(queue, leaseMs), new LeaseTaker(queue, leaseMs)];
    const lease = await a.take(ctx);
    if (lease === undefined) throw new Error('not free');
    const until = performance.now() + 2 * leaseMs;
    await vi.waitUntil(async () => {
      await queue.change(ctx, lease, nothing);
      expect(await b.take(ctx)).toBeUndefined();
      return performance.now() > until;
    });
    const last = performance.now();
    const next = await vi.waitUntil(() => b.take(ctx), { interval: 5 });
    expect(performance.now() - last).toBeGreaterThan(leaseMs * 0.9);
    expect(lease.remaining).toBe(0);
    expect(next.remaining).toBeGreaterThan(0);
  });

  it('keeps whom it was taken from out', async () => {
    await using stopped = new TestOutbox(opened.db, await connect('memory:'));
    await stopped.outbox.add(ctx, 's', numbered(1));
    await stopped.outbox.add(ctx, 's', numbered(2));
    const [a, b] = [new LeaseTaker(queue, leaseMs), new LeaseTaker(queue, leaseMs)];
    const stale = await a.take(ctx);
    if (stale === undefined) throw new Error('not free');
    const next = await vi.waitUntil(() => b.take(ctx));
    const {
      rows: [one, two],
    } = await queue.rows(ctx, ['s'], 10, 1_000);
    if (one === undefined || two === undefined) throw new Error('no rows');
    const changes = {
      sent: [one],
      failed: [{ seq: two.seq, error: 'x', attempts: 1 }],
      notBegun: [two.seq],
      begun: [{ seq: two.seq, head: 'h' }],
    };
    await expect(queue.change(ctx, stale, changes)).rejects.toThrow(LeaseLostError);
    await queue.freeLease(ctx, stale);
    expect(await queue.lease(ctx)).toMatchObject({ owner: next.owner });
    expect(await queue.rows(ctx, ['s'], 10, 1_000)).toEqual({ rows: [one, two], left: [] });
    await queue.change(ctx, next, { ...nothing, sent: [one] });
    expect(await queue.rows(ctx, ['s'], 10, 1_000)).toEqual({ rows: [two], left: [] });
  });

  it('is given up by a relay without work, which then writes nothing', async () => {
    await using conn = await connect('memory:');
    await using test = new TestOutbox(opened.db, conn, { leaseMs: 200 }).start();
    await test.outbox.add(ctx, 's', numbered(1));
    await test.outbox.flushed(ctx);
    expect(await queue.lease(ctx)).toMatchObject({ owner: expect.any(String) });
    await vi.waitUntil(async () => (await queue.lease(ctx)).owner === null, { timeout: 5_000 });
    await test.outbox.add(ctx, 's', numbered(2));
    await test.outbox.flushed(ctx);
    expect(await conn.head(ctx, 's')).not.toBeNull();
  });
});
