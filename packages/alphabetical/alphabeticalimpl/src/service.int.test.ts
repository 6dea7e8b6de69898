import { LetterNotFoundError } from '@samovar/alphabetical';
import { alphabeticalContract } from '@samovar/alphabeticaltest/contract';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import type { Db } from '@samovar/db';
import { connect, migrate } from '@samovar/dbimpl';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { FakeNumerical } from '@samovar/numericaltest';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { alphabeticalMigrations } from './migrations.ts';
import { AlphabeticalService } from './service.ts';
import { sqlLetterStore } from './store.ts';

async function open(url: string) {
  const db = connect(url, () => {});
  await migrate(background, db, [alphabeticalMigrations]);
  return db;
}

/** No numbers, and nothing in memory: what it has then is in the table. */
function startOn(db: Db) {
  const bus = new FakeBus({ db });
  const numerical = new FakeNumerical(bus);
  const alphabetical = new AlphabeticalService(bus, numerical, sqlLetterStore(db));
  alphabetical.init();
  return { alphabetical, numerical, bus };
}

describeOnDatabases(open, (name, fresh) => {
  alphabeticalContract(`AlphabeticalService on ${name}`, async () => {
    const place = await fresh();
    return { ...startOn(place.db), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  });

  it('has its letters after a restart, until they are deleted', async () => {
    await using place = await fresh();
    const { alphabetical, numerical } = startOn(place.db);
    await numerical.setNumber(background, { id: 1, value: 1 });
    await alphabetical.getLetter(background, { id: 1 });
    expect(await startOn(place.db).alphabetical.getLetter(background, { id: 1 })).toBe('a');
    await alphabetical.deleteLetter(background, { id: 1 });
    const attempt = startOn(place.db).alphabetical.getLetter(background, { id: 1 });
    await expect(attempt).rejects.toThrow(LetterNotFoundError);
  });

  it('has the same letters in memory and in the table after a transaction that rolls back', async () => {
    await using place = await fresh();
    const { alphabetical, numerical, bus } = startOn(place.db);
    for (const id of [1, 2, 3]) await numerical.setNumber(background, { id, value: id });
    for (const id of [1, 2]) await alphabetical.getLetter(background, { id });
    const attempt = bus.inTransaction(background, async (ctx) => {
      await alphabetical.deleteLetter(ctx, { id: 1 });
      await numerical.setNumber(ctx, { id: 2, value: 26 });
      await alphabetical.getLetter(ctx, { id: 3 });
      throw new Error('rolled back');
    });
    await expect(attempt).rejects.toThrow('rolled back');
    expect(alphabetical.listCachedLetters(background, {})).toEqual(['a', 'b']);
    const restarted = startOn(place.db).alphabetical;
    expect(await restarted.getLetter(background, { id: 1 })).toBe('a');
    expect(await restarted.getLetter(background, { id: 2 })).toBe('b');
    await expect(restarted.getLetter(background, { id: 3 })).rejects.toThrow(LetterNotFoundError);
  });

  // SQLite's transactions do not run side by side.
  if (name === 'PostgreSQL') {
    it('stores no letter of a number that is being set', async () => {
      await using place = await fresh();
      const { alphabetical, numerical } = startOn(place.db);
      const reading = Promise.withResolvers<void>();
      const oldNumber = Promise.withResolvers<number>();
      vi.spyOn(numerical, 'getNumber').mockImplementationOnce(() => {
        reading.resolve();
        return oldNumber.promise;
      });
      const letter = alphabetical.getLetter(background, { id: 1 });
      await reading.promise;
      const isSet = vi.fn();
      const setting = numerical.setNumber(background, { id: 1, value: 2 }).then(isSet);
      await vi.waitUntil(async () => isSet.mock.calls.length > 0 || (await isAnyoneWaiting(place.db)));
      oldNumber.resolve(1);
      expect(await letter).toBe('a');
      await setting;
      expect(await alphabetical.getLetter(background, { id: 1 })).toBe('b');
    });

    async function isAnyoneWaiting(db: Db): Promise<boolean> {
      const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted`.execute(
        db.query(background),
      );
      return rows.length > 0;
    }
  }
});
