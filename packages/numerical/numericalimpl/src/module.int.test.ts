import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Db, Migrations } from '@samovar/db';
import { connect } from '@samovar/dbimpl';
import { Numerical } from '@samovar/numerical';
import { Initializer } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { numericalMigrations } from './migrations.ts';
import { numericalModule } from './module.ts';
import { NumericalService } from './service.ts';

it('binds Numerical, its migrations, and what answers its messages on the bus', async () => {
  await using db = connect('sqlite::memory:', () => {});
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Db).toConstantValue(db);
  container.load(numericalModule);
  expect(container.get(Numerical)).toBeInstanceOf(NumericalService);
  expect(container.getAll(Initializer)).toEqual([container.get(Numerical)]);
  expect(container.getAll(Migrations)).toEqual([numericalMigrations]);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual(['numerical.GetNumberQuery', 'numerical.SetNumberCommand']);
});
