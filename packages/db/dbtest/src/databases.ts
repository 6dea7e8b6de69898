import type { Db } from '@samovar/db';
import { afterAll, beforeAll, describe } from 'vitest';
import { type FreshDb, freshSqlite, type Open, startPostgres, type TestPostgres } from './dbtest.ts';

/**
 * Runs `suite` on SQLite and on a PostgreSQL of its own; it is given the database's name, and what opens a fresh one for
 * each test. A failing `open` fails the test.
 */
export function describeOnDatabases<D extends Db & AsyncDisposable>(
  open: Open<D>,
  suite: (name: string, fresh: () => Promise<FreshDb<D>>) => void,
): void {
  describe('on SQLite', () => suite('SQLite', () => freshSqlite(open)));
  describe('on PostgreSQL', () => {
    let postgres: TestPostgres;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres[Symbol.asyncDispose]());
    suite('PostgreSQL', () => postgres.freshDb(open));
  });
}
