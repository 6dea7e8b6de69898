import { background } from '@samovar/context';
import { Db, Migrations } from '@samovar/db';
import { Initializer, Logger } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it, vi } from 'vitest';
import { dbModule } from './module.ts';

it('binds a Db that is migrated at the start, logs what callbacks throw, and is closed with the container', async () => {
  const error = vi.fn();
  const container = new Container();
  container.load(dbModule({ url: 'sqlite::memory:' }));
  container.bind(Logger).toConstantValue({ error } as unknown as Logger);
  container.bind(Migrations).toConstantValue({
    service: 'tea',
    steps: [{ name: '001', statements: (db) => [db.schema.createTable('tea_cups').addColumn('id', 'integer')] }],
  });
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

it('starts with nothing to migrate', async () => {
  const container = new Container();
  container.load(dbModule({ url: 'sqlite::memory:' }));
  container.bind(Logger).toConstantValue({} as Logger);
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  await container.unbindAllAsync();
});
