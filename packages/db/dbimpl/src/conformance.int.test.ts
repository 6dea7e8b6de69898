import { freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { dbConformance } from '@samovar/dbtest/conformance';
import { afterAll, beforeAll } from 'vitest';
import { connect } from './connect.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const open = (url: string) => connect(url, () => {});

dbConformance('SQLite in a file', () => freshSqlite(open));
dbConformance('SQLite in memory', async () => {
  const url = 'sqlite::memory:';
  const db = open(url);
  return { db, url, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
});
dbConformance('PostgreSQL', () => postgres.freshDb(open));
