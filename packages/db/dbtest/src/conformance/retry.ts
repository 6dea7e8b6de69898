import { background, CanceledError, type Context, withCancel } from '@samovar/context';
import { TransactionConflictError } from '@samovar/db';
import { expect, it, vi } from 'vitest';
import { cups, type OpenDb, openCups, pour } from './tables.ts';

export function retryConformance(open: OpenDb): void {
  it('does it again as a whole after status aborted, when asked to', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const committed: number[] = [];
    let attempt = 0;
    const fn = async (ctx: Context) => {
      const id = ++attempt;
      await pour(db, ctx, id);
      db.afterCommit(ctx, () => void committed.push(id));
      if (id < 3) throw new TransactionConflictError();
    };
    await db.inTransaction(background, fn, { retry: true });
    expect([await cups(db), committed]).toEqual([[3], [3]]);
  });

  it('does it once unless asked to, or if it failed otherwise', async () => {
    await using opened = await open();
    const { db } = opened;
    const lost = vi.fn(() => Promise.reject(new TransactionConflictError()));
    await expect(db.inTransaction(background, lost)).rejects.toThrow(TransactionConflictError);
    const nested = (ctx: Context) => db.inTransaction(ctx, lost, { retry: true });
    await expect(db.inTransaction(background, nested)).rejects.toThrow(TransactionConflictError);
    const spilt = vi.fn(() => Promise.reject(new Error('spilt')));
    await expect(db.inTransaction(background, spilt, { retry: true })).rejects.toThrow('spilt');
    expect([lost.mock.calls.length, spilt.mock.calls.length]).toEqual([2, 1]);
  });

  it('gives up after ten attempts, or when its context is done', async () => {
    await using opened = await open();
    const { db } = opened;
    const lost = vi.fn(() => Promise.reject(new TransactionConflictError()));
    await expect(db.inTransaction(background, lost, { retry: true })).rejects.toThrow(TransactionConflictError);
    expect(lost).toHaveBeenCalledTimes(10);
    const { ctx, cancel } = withCancel(background);
    const canceling = vi.fn(async () => {
      cancel();
      throw new TransactionConflictError();
    });
    await expect(db.inTransaction(ctx, canceling, { retry: true })).rejects.toThrow(CanceledError);
    expect(canceling).toHaveBeenCalledOnce();
  });
}
