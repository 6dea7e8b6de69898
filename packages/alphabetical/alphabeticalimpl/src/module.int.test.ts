import { Alphabetical } from '@samovar/alphabetical';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Db, Migrations } from '@samovar/db';
import { connect } from '@samovar/dbimpl';
import { Numerical } from '@samovar/numerical';
import { FakeNumerical } from '@samovar/numericaltest';
import { Initializer } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { alphabeticalMigrations } from './migrations.ts';
import { alphabeticalModule } from './module.ts';
import { AlphabeticalService } from './service.ts';

it('binds Alphabetical, its migrations, and what answers its messages on the bus', async () => {
  await using db = connect('sqlite::memory:', () => {});
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Db).toConstantValue(db);
  container.bind(Numerical).toConstantValue(new FakeNumerical(bus));
  container.load(alphabeticalModule);
  expect(container.get(Alphabetical)).toBeInstanceOf(AlphabeticalService);
  expect(container.getAll(Initializer)).toEqual([container.get(Alphabetical)]);
  expect(container.getAll(Migrations)).toEqual([alphabeticalMigrations]);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const names = bus.catalogue().map(({ message }) => message.name);
  expect(names.filter((name) => name.startsWith('alphabetical.'))).toEqual([
    'alphabetical.DeleteLetterCommand',
    'alphabetical.GetLetterQuery',
    'alphabetical.ListCachedLettersQuery',
  ]);
  expect(names).toContain('numerical.NumberSet');
});
