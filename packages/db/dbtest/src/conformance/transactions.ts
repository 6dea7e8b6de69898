import { background, CanceledError, withCancel } from '@samovar/context';
import { expect, it, vi } from 'vitest';
import { cups, type OpenDb, openCups, pour } from './tables.ts';

export function transactionConformance(open: OpenDb): void {
  committing(open);
  rollingBack(open);
  sideBySide(open);
}

function committing(open: OpenDb): void {
  it('resolves as fn does, with what it wrote committed', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const result = await db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 1);
      return cups(db, ctx);
    });
    expect(result).toEqual([1]);
    expect(await cups(db)).toEqual([1]);
  });

  it('joins the transaction that the context carries', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const attempt = db.inTransaction(background, async (ctx) => {
      await db.inTransaction(ctx, (inner) => pour(db, inner, 1));
      expect(await cups(db, ctx)).toEqual([1]);
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    expect(await cups(db)).toEqual([]);
  });

  it('knows whether a context carries one that is open', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const over = await db.inTransaction(background, async (ctx) => {
      expect([db.isInTransaction(ctx), db.isInTransaction(background)]).toEqual([true, false]);
      return ctx;
    });
    expect(db.isInTransaction(over)).toBe(false);
  });

  it('takes the context of a transaction that is over for one without', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const over = await db.inTransaction(background, async (ctx) => ctx);
    await pour(db, over, 1);
    await db.inTransaction(over, (ctx) => pour(db, ctx, 2));
    expect(await cups(db, over)).toEqual([1, 2]);
  });
}

function rollingBack(open: OpenDb): void {
  it('rejects as fn does, with nothing written', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const error = new Error('spilt');
    const attempt = db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 1);
      throw error;
    });
    await expect(attempt).rejects.toBe(error);
    await db.inTransaction(background, (ctx) => pour(db, ctx, 2));
    expect(await cups(db)).toEqual([2]);
  });

  it('leaves it to the outermost fn what a nested failure means', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    await db.inTransaction(background, async (ctx) => {
      const nested = db.inTransaction(ctx, async (inner) => {
        await pour(db, inner, 1);
        throw new Error('handled');
      });
      await expect(nested).rejects.toThrow('handled');
    });
    expect(await cups(db)).toEqual([1]);
  });

  it('rolls back when the database refuses a statement, and goes on with the next transaction', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const attempt = db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 1);
      await pour(db, ctx, 1);
    });
    await expect(attempt).rejects.toThrow(/unique/i);
    await db.inTransaction(background, (ctx) => pour(db, ctx, 1));
    expect(await cups(db)).toEqual([1]);
  });

  it('does not begin in a context that is done', async () => {
    await using opened = await open();
    const { ctx, cancel } = withCancel(background);
    cancel();
    const fn = vi.fn(async () => {});
    await expect(opened.db.inTransaction(ctx, fn)).rejects.toThrow(CanceledError);
    expect(fn).not.toHaveBeenCalled();
  });
}

function sideBySide(open: OpenDb): void {
  it('keeps transactions of different calls apart', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const ids = Array.from({ length: 30 }, (_, id) => id);
    const results = await Promise.allSettled(
      ids.map((id) =>
        db.inTransaction(background, async (ctx) => {
          await pour(db, ctx, id);
          await new Promise(setImmediate);
          if (id % 3 === 0) throw new Error('spilt');
        }),
      ),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    expect(await cups(db)).toEqual(ids.filter((id) => id % 3 !== 0));
  });
}
