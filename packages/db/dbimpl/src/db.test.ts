import { background, withTimeout } from '@samovar/context';
import { DatabaseUnavailableError, TransactionConflictError } from '@samovar/db';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database, Queries, RunningTransaction } from './database.ts';
import { SqlDb } from './db.ts';
import { Holding } from './holding.ts';

const down = () => Promise.reject(new DatabaseUnavailableError('down'));

function dbOf(begin: () => Promise<RunningTransaction>): SqlDb {
  const database: Database = {
    dialect: 'sqlite',
    pool: {} as Queries,
    begin,
    async [Symbol.asyncDispose]() {},
  };
  return new SqlDb(database, new Holding(), () => {});
}

function transaction(commit: () => Promise<void>): RunningTransaction & { readonly rollback: () => Promise<void> } {
  return { queries: {} as Queries, commit, rollback: vi.fn(async () => {}) };
}

it('begins again when the database could not be reached, if asked to', async () => {
  const reachable = transaction(async () => {});
  const begin = vi.fn<() => Promise<RunningTransaction>>(down);
  const db = dbOf(begin);
  await expect(db.inTransaction(background, async () => 1)).rejects.toThrow(DatabaseUnavailableError);
  expect(begin).toHaveBeenCalledTimes(1);
  begin.mockImplementationOnce(down).mockImplementationOnce(async () => reachable);
  expect(await db.inTransaction(background, async () => 2, { retry: true })).toBe(2);
  expect(begin).toHaveBeenCalledTimes(3);
});

it('does nothing twice when the connection is lost at the commit, which may have been done', async () => {
  const lost = transaction(down);
  const fn = vi.fn(async () => {});
  const callback = vi.fn();
  const db = dbOf(async () => lost);
  const attempt = db.inTransaction(
    background,
    async (ctx) => {
      db.afterCommit(ctx, callback);
      await fn();
    },
    { retry: true },
  );
  await expect(attempt).rejects.toThrow(DatabaseUnavailableError);
  expect(fn).toHaveBeenCalledOnce();
  expect(lost.rollback).toHaveBeenCalledOnce();
  expect(callback).not.toHaveBeenCalled();
});

describe('before it begins again', () => {
  const db = dbOf(async () => transaction(async () => {}));

  beforeEach(() => void vi.spyOn(Math, 'random'));
  afterEach(() => vi.restoreAllMocks());

  it('waits a random time within growing bounds', async () => {
    const starts: number[] = [];
    vi.mocked(Math.random).mockReturnValue(1);
    const fn = async () => {
      starts.push(performance.now());
      if (starts.length < 5) throw new TransactionConflictError();
    };
    await db.inTransaction(background, fn, { retry: true });
    const pauses = starts.slice(1).map((start, i) => start - (starts[i] as number));
    // A timer may fire a millisecond early.
    for (const [i, bound] of [5, 10, 20, 40].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(bound - 1);
    expect(Math.random).toHaveBeenCalledTimes(4);
  });

  it('waits no longer than its context lasts', async () => {
    vi.mocked(Math.random).mockReturnValue(1e6);
    using scope = withTimeout(background, 20);
    const fn = vi.fn(() => Promise.reject(new TransactionConflictError()));
    await expect(db.inTransaction(scope.ctx, fn, { retry: true })).rejects.toMatchObject({
      status: 'deadline_exceeded',
    });
    expect(fn).toHaveBeenCalledOnce();
  });
});
