import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { background } from '@samovar/context';
import { type Migration, MigrationChangedError, type Migrations } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';
import { type MigrationStep, migrate, pendingMigrations } from './migrate.ts';

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

const manySteps = Array.from({ length: 30 }, (_, index) => `step-${String(index).padStart(2, '0')}`);

/** A process that migrates the database at `url` by {@link manySteps}, when it is told to. */
class MigratingProcess {
  readonly ready: Promise<unknown>;
  /** The steps that it has run itself. @throws if it ended otherwise than well. */
  readonly applied: Promise<string[]>;
  readonly #child: ChildProcess;

  constructor(url: string) {
    const code = `
      import { background } from '@samovar/context';
      import { sql } from 'kysely';
      import { connect, migrate } from ${JSON.stringify(import.meta.resolve('./module.ts'))};
      const steps = ${JSON.stringify(manySteps)}.map((name, index) => ({
        name,
        statements: (db) => [
          ...(index === 0 ? [sql\`create table tea_log (id integer primary key)\`.compile(db)] : []),
          sql\`insert into tea_log values (\${index})\`.compile(db),
        ],
      }));
      const db = connect(${JSON.stringify(url)}, () => {});
      const applied = [];
      process.once('message', async () => {
        await migrate(background, db, [{ service: 'tea', steps }], ({ service, name }) => applied.push(service + '/' + name));
        await db[Symbol.asyncDispose]();
        process.send(applied, () => process.disconnect());
      });
      process.send('ready');`;
    this.#child = spawn(process.execPath, ['--conditions=@samovar/source', '--input-type=module', '--eval', code], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const exited = once(this.#child, 'exit').then(([code]) => {
      if (code !== 0) throw new Error(`the process that migrates ended with ${code}`);
    });
    this.ready = Promise.race([once(this.#child, 'message'), exited]);
    this.applied = this.#runToEnd(exited);
  }

  go(): void {
    this.#child.send('go');
  }

  async #runToEnd(exited: Promise<void>): Promise<string[]> {
    const heard: unknown[] = [];
    this.#child.on('message', (message) => heard.push(message));
    await exited;
    return heard[1] as string[];
  }
}

describe.each([
  ['SQLite', () => freshSqlite(open)],
  ['PostgreSQL', () => postgres.freshDb(open)],
])('migrate on %s', (_, fresh: () => Promise<FreshDb<SqlDb>>) => {
  it('runs each step once, in order, on from where it was', async () => {
    await using place = await fresh();
    const { db } = place;
    const applied: string[] = [];
    const note = ({ service, name }: MigrationStep) => void applied.push(`${service}/${name}`);
    await migrate(background, db, []);
    await migrate(background, db, [tea(cups)], note);
    await migrate(background, db, [tea(cups, firstCup)], note);
    await migrate(background, db, [tea(cups, firstCup)], note);
    expect([await countCups(db), applied]).toEqual([2, ['tea/001-cups', 'tea/002-first']]);
  });

  it('is foretold by pendingMigrations, which changes nothing', async () => {
    await using place = await fresh();
    const { db } = place;
    const saucers: Migrations = {
      service: 'saucers',
      steps: [{ name: '001', statements: (db) => [sql`create table saucers_all (id integer)`.compile(db)] }],
    };
    const pending = async (...migrations: Migrations[]) =>
      (await pendingMigrations(background, db, migrations)).map(({ service, name }) => `${service}/${name}`);
    expect(await pending()).toEqual([]);
    expect(await pending(tea(cups, firstCup), saucers)).toEqual(['tea/001-cups', 'tea/002-first', 'saucers/001']);
    expect(await db.query(background).introspection.getTables()).toEqual([]);
    await migrate(background, db, [tea(cups)]);
    expect(await pending(saucers, tea(cups, firstCup))).toEqual(['saucers/001', 'tea/002-first']);
    await expect(pending(tea(firstCup))).rejects.toThrow(MigrationChangedError);
    await migrate(background, db, [tea(cups, firstCup), saucers]);
    expect(await pending(tea(cups, firstCup), saucers)).toEqual([]);
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
    const note = vi.fn();
    await expect(migrate(background, db, [tea(cups, firstCup, broken)], note)).rejects.toThrow(/nowhere/);
    expect([await countCups(db), note.mock.calls.length]).toEqual([2, 2]);
    await migrate(background, db, [tea(cups, firstCup)]);
  });

  it('is safe when several start at once', async () => {
    await using place = await fresh();
    const dbs = Array.from({ length: 4 }, () => open(place.url));
    try {
      const note = vi.fn();
      await Promise.all(dbs.map((db) => migrate(background, db, [tea(cups, firstCup)], note)));
      expect(await Promise.all(dbs.map(countCups))).toEqual([2, 2, 2, 2]);
      expect(note).toHaveBeenCalledTimes(2);
    } finally {
      await Promise.all(dbs.map((db) => db[Symbol.asyncDispose]()));
    }
  });

  it('is safe when processes start at once, which share the work', async () => {
    await using place = await fresh();
    const processes = [new MigratingProcess(place.url), new MigratingProcess(place.url)];
    // Both are there before either begins.
    await Promise.all(processes.map((each) => each.ready));
    for (const each of processes) each.go();
    const applied = await Promise.all(processes.map((each) => each.applied));
    expect(applied.flat().toSorted()).toEqual(manySteps.map((step) => `tea/${step}`));
    const rows = await sql<{ id: number }>`select id from tea_log order by id`.execute(place.db.query(background));
    expect(rows.rows.map(({ id }) => id)).toEqual(manySteps.map((_, index) => index));
  });
});
