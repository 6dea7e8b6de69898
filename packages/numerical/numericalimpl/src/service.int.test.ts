import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { connect, migrate } from '@samovar/dbimpl';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { NumberNotFoundError } from '@samovar/numerical';
import { type NumericalUnderTest, numericalContract } from '@samovar/numericaltest/contract';
import { expect, it } from 'vitest';
import { numericalMigrations } from './migrations.ts';
import { NumericalService } from './service.ts';
import { sqlNumberStore } from './store.ts';

async function open(url: string) {
  const db = connect(url, () => {});
  await migrate(background, db, [numericalMigrations]);
  return db;
}

describeOnDatabases(open, (name, fresh) => {
  const make = async (): Promise<NumericalUnderTest> => {
    const place = await fresh();
    const bus = new FakeBus({ db: place.db });
    const numerical = new NumericalService(bus, sqlNumberStore(place.db));
    numerical.init();
    return { numerical, bus, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  };

  numericalContract(`NumericalService on ${name}`, make);

  it('sets nothing in a transaction that rolls back', async () => {
    await using made = await make();
    const { numerical, bus } = made;
    const attempt = bus.inTransaction(background, async (ctx) => {
      await numerical.setNumber(ctx, { id: 1, value: 7 });
      expect(await numerical.getNumber(ctx, { id: 1 })).toBe(7);
      throw new Error('rolled back');
    });
    await expect(attempt).rejects.toThrow('rolled back');
    await expect(numerical.getNumber(background, { id: 1 })).rejects.toThrow(NumberNotFoundError);
  });
});
