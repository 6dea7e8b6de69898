import { background, type Context } from '@samovar/context';
import { WriteOutsideTransactionError } from '@samovar/db';
import { expect, it } from 'vitest';
import { cups, type OpenDb, openCups, pour } from './tables.ts';

export function outsideConformance(open: OpenDb): void {
  it('reads what is committed only, also from inside of a transaction', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    await pour(db, background, 1);
    await db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 2);
      expect(await cups(db, background)).toEqual([1]);
      expect(await cups(db, ctx)).toEqual([1, 2]);
    });
    expect(await cups(db, background)).toEqual([1, 2]);
  });

  it('refuses at once what the call that holds the transaction writes beside it', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const sent = Promise.withResolvers<Context>();
    const joined = sent.promise.then((ctx) =>
      db.inTransaction(ctx, () => expect(pour(db, background, 4)).rejects.toThrow(WriteOutsideTransactionError)),
    );
    await db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 1);
      await expect(pour(db, background, 2)).rejects.toThrow(WriteOutsideTransactionError);
      const beside = db.inTransaction(background, (other) => pour(db, other, 3));
      await expect(beside).rejects.toThrow(/pass on the ctx that inTransaction gave/);
      sent.resolve(ctx);
      await joined;
    });
    expect(await cups(db)).toEqual([1]);
  });

  it('writes for other calls while one holds a transaction, now or in turn', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const holder = db.inTransaction(background, async (ctx) => {
      await pour(db, ctx, 1);
      begun.resolve();
      await gate.promise;
    });
    await begun.promise;
    const writes = Promise.all([pour(db, background, 2), db.inTransaction(background, (ctx) => pour(db, ctx, 3))]);
    gate.resolve();
    await Promise.all([holder, writes]);
    expect(await cups(db)).toEqual([1, 2, 3]);
  });

  it('writes from what a call has started once its transaction is over', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const gate = Promise.withResolvers<void>();
    let later = Promise.resolve();
    await db.inTransaction(background, async () => {
      later = gate.promise.then(() => pour(db, background, 1));
    });
    gate.resolve();
    await later;
    expect(await cups(db)).toEqual([1]);
  });

  it('refuses integers that a number cannot hold', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    await pour(db, background, Number.MAX_SAFE_INTEGER);
    expect(await cups(db)).toEqual([Number.MAX_SAFE_INTEGER]);
    // As a bigint: a number of that size would be bound as a fraction.
    await pour(db, background, (2n ** 53n) as unknown as number);
    await expect(cups(db)).rejects.toThrow(RangeError);
  });
}
