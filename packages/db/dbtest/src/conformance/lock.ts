import { background } from '@samovar/context';
import { expect, it } from 'vitest';
import { cups, type OpenDb, openCups, pour } from './tables.ts';

export function lockConformance(open: OpenDb): void {
  it('lets transactions that name one key take turns, from the lock to the end', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const pourNext = () =>
      db.inTransaction(background, async (ctx) => {
        await db.lock(ctx, 'cups');
        await db.lock(ctx, 'cups');
        const next = (await cups(db, ctx)).length;
        await new Promise(setImmediate);
        await pour(db, ctx, next);
      });
    await Promise.all(Array.from({ length: 20 }, pourNext));
    expect(await cups(db)).toEqual(Array.from({ length: 20 }, (_, id) => id));
  });

  it('gives the turn back when the transaction rolls back', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    const attempt = db.inTransaction(background, async (ctx) => {
      await db.lock(ctx, 'cups');
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    await db.inTransaction(background, (ctx) => db.lock(ctx, 'cups'));
  });

  it('is refused without a transaction', async () => {
    await using opened = await openCups(open);
    const { db } = opened;
    await expect(db.lock(background, 'cups')).rejects.toMatchObject({ id: 'db.notInTransaction' });
    const over = await db.inTransaction(background, async (ctx) => ctx);
    await expect(db.lock(over, 'cups')).rejects.toMatchObject({ id: 'db.notInTransaction' });
  });
}
