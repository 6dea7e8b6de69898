import { background } from '@samovar/context';
import { expect, it, vi } from 'vitest';
import { cups, type OpenDb, openCups, pour } from './tables.ts';

export function afterCommitConformance(open: OpenDb): void {
  it('calls in order once all is committed, before inTransaction settles', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const steps: string[] = [];
    let seen: Promise<number[]> | undefined;
    await db.inTransaction(background, async (ctx) => {
      db.afterCommit(ctx, () => {
        seen = cups(db);
        steps.push('first');
      });
      await db.inTransaction(ctx, async (inner) => db.afterCommit(inner, () => void steps.push('second')));
      await pour(db, ctx, 1);
      steps.push('work');
    });
    expect(steps).toEqual(['work', 'first', 'second']);
    expect(await seen).toEqual([1]);
  });

  it('never calls after a rollback', async () => {
    await using opened = await open();
    const { db } = opened;
    const callback = vi.fn();
    let over = background;
    const attempt = db.inTransaction(background, async (ctx) => {
      over = ctx;
      db.afterCommit(ctx, callback);
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    db.afterCommit(over, callback);
    expect(callback).not.toHaveBeenCalled();
  });

  it('calls at once outside of a transaction, and after its commit', async () => {
    await using opened = await open();
    const { db } = opened;
    const callback = vi.fn();
    db.afterCommit(background, callback);
    expect(callback).toHaveBeenCalledTimes(1);
    const over = await db.inTransaction(background, async (ctx) => ctx);
    db.afterCommit(over, callback);
    expect(callback).toHaveBeenCalledTimes(2);
  });

  it('lets a callback that throws or rejects undo nothing and hide no other', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const other = vi.fn();
    await db.inTransaction(background, async (ctx) => {
      db.afterCommit(ctx, () => {
        throw new Error('cache');
      });
      db.afterCommit(ctx, () => Promise.reject(new Error('async cache')));
      db.afterCommit(ctx, other);
      await pour(db, ctx, 1);
    });
    expect(other).toHaveBeenCalledOnce();
    expect(await cups(db)).toEqual([1]);
  });
}
