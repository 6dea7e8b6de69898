import { background } from '@samovar/context';
import { type Migration, MigrationChangedError, type Migrations } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';
import { migrate } from './migrate.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const open = (url: string) => connect(url, () => {});

const cups: Migration = {
  name: '001-cups',
  statements: (db) => [db.schema.createTable('tea_cups').addColumn('id', 'integer', (column) => column.primaryKey())],
};
const firstCup: Migration = {
  name: '002-first',
  statements: (db) => [db.insertInto('tea_cups').values({ id: 1 }), sql`insert into tea_cups values (2)`.compile(db)],
};
const broken: Migration = {
  name: '003-broken',
  statements: (db) => [db.insertInto('tea_cups').values({ id: 3 }), sql`insert into nowhere values (1)`.compile(db)],
};

function tea(...steps: Migration[]): Migrations {
  return { service: 'tea', steps };
}

async function countCups(db: SqlDb): Promise<unknown> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from tea_cups`.execute(db.query(background));
  return rows[0]?.n;
}

describe.each([
  ['SQLite', () => freshSqlite(open)],
  ['PostgreSQL', () => postgres.freshDb(open)],
])('migrate on %s', (_, fresh: () => Promise<FreshDb<SqlDb>>) => {
  it('runs each step once, in order, on from where it was', async () => {
    await using place = await fresh();
    const { db } = place;
    await migrate(background, db, []);
    await migrate(background, db, [tea(cups)]);
    await migrate(background, db, [tea(cups, firstCup)]);
    await migrate(background, db, [tea(cups, firstCup)]);
    expect(await countCups(db)).toBe(2);
  });

  it('refuses steps that were edited, taken out or put before others, and does nothing then', async () => {
    await using place = await fresh();
    const { db } = place;
    await migrate(background, db, [tea(cups, firstCup)]);
    const edited = { ...firstCup, statements: () => [] };
    const third = { name: '003-third', statements: firstCup.statements };
    await expect(migrate(background, db, [tea(cups, edited, third)])).rejects.toThrow(/tea\/002-first was edited/);
    await expect(migrate(background, db, [tea(cups, third)])).rejects.toThrow(/tea\/002-first is gone/);
    await expect(migrate(background, db, [tea(cups, third, firstCup)])).rejects.toThrow(/003-third was put before/);
    await expect(migrate(background, db, [tea()])).rejects.toThrow(MigrationChangedError);
    expect(await countCups(db)).toBe(2);
  });

  it('keeps nothing of a step that fails, and the steps before it', async () => {
    await using place = await fresh();
    const { db } = place;
    await expect(migrate(background, db, [tea(cups, firstCup, broken)])).rejects.toThrow(/nowhere/);
    expect(await countCups(db)).toBe(2);
    await migrate(background, db, [tea(cups, firstCup)]);
  });

  it('is safe when several start at once', async () => {
    await using place = await fresh();
    const dbs = Array.from({ length: 4 }, () => open(place.url));
    try {
      await Promise.all(dbs.map((db) => migrate(background, db, [tea(cups, firstCup)])));
      expect(await Promise.all(dbs.map(countCups))).toEqual([2, 2, 2, 2]);
    } finally {
      await Promise.all(dbs.map((db) => db[Symbol.asyncDispose]()));
    }
  });
});
