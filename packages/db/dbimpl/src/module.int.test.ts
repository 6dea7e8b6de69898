import { background } from '@samovar/context';
import { Db, Migrations, MigrationsPendingError } from '@samovar/db';
import { Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it, vi } from 'vitest';
import { dbModule, migrate } from './module.ts';

const tea: Migrations = {
  service: 'tea',
  steps: [{ name: '001', statements: (db) => [db.schema.createTable('tea_cups').addColumn('id', 'integer')] }],
};

it('binds a Db that is migrated at the start, logs what callbacks throw, and is closed with the container', async () => {
  const error = vi.fn();
  const container = new Container();
  container.load(dbModule({ url: 'sqlite::memory:' }));
  container.bind(Logger).toConstantValue({ error } as unknown as Logger);
  container.bind(Migrations).toConstantValue(tea);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const db = container.get(Db);
  const read = () => db.query<{ tea_cups: { id: number } }>(background).selectFrom('tea_cups').selectAll().execute();
  expect(await read()).toEqual([]);
  db.afterCommit(background, () => {
    throw new Error('cache');
  });
  expect(error).toHaveBeenCalledWith('a callback after a commit failed', { err: new Error('cache') });
  await container.unbindAllAsync();
  await expect(read()).rejects.toThrow(/not open/);
});

it('refuses the start where something is to be migrated, if told not to do it', async () => {
  const container = new Container();
  container.load(dbModule({ url: 'sqlite::memory:', migrateAtStart: false }));
  container.bind(Logger).toConstantValue({} as Logger);
  container.bind(Migrations).toConstantValue(tea);
  const start = async () => container.get(Initializer).init();
  await expect(start()).rejects.toThrow(MigrationsPendingError);
  await expect(start()).rejects.toThrow(/\(tea\/001\): run samovar migrate/);
  await expect(start()).rejects.toMatchObject({ status: 'failed_precondition', details: { pending: ['tea/001'] } });
  await migrate(background, container.get(Db), [tea]);
  await start();
  await container.unbindAllAsync();
});

it('starts with nothing to migrate', async () => {
  const container = new Container();
  container.load(dbModule({ url: 'sqlite::memory:' }));
  container.bind(Logger).toConstantValue({} as Logger);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  await container.unbindAllAsync();
});
