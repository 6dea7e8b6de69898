import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background, CanceledError, DeadlineExceededError, withCancel, withTimeout } from '@samovar/context';
import { DatabaseUnavailableError, InvalidDatabaseUrlError, WriteOutsideTransactionError } from '@samovar/db';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from './connect.ts';
import type { SqlDb } from './db.ts';

let folder: string;
let path: string;
let db: SqlDb;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samovar-sqlite-'));
  path = join(folder, 'test.db');
  db = connect(`sqlite:${path}`, () => {});
  await sql`create table cups (id integer primary key)`.execute(db.query(background));
});

afterEach(async () => {
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function count(of: SqlDb = db): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from cups`.execute(of.query(background));
  return rows[0]?.n ?? Number.NaN;
}

function pour(into: SqlDb = db, ctx = background): Promise<unknown> {
  return sql`insert into cups default values`.execute(into.query(ctx));
}

/** The next rollback fails as on a failing disk, with the transaction still open. */
function failRollback(): void {
  const exec = DatabaseSync.prototype.exec;
  const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    if (sql.toUpperCase() !== 'ROLLBACK') return exec.call(this, sql);
    spy.mockRestore();
    throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
  });
}

/** A transaction that is open until it is told to end. */
async function holding(by: SqlDb): Promise<{ readonly end: () => Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const over = by.inTransaction(background, async () => {
    begun.resolve();
    await gate.promise;
  });
  await begun.promise;
  return {
    async end() {
      gate.resolve();
      await over;
    },
  };
}

describe('the queue for the writer', () => {
  it('is left by whom its context leaves, and goes on without', async () => {
    const holder = await holding(db);
    const { ctx, cancel } = withCancel(background);
    const fn = vi.fn(async () => {});
    const canceled = db.inTransaction(ctx, fn);
    using late = withTimeout(background, 1);
    const timedOut = db.inTransaction(late.ctx, fn);
    const last = db.inTransaction(background, (ctx) => pour(db, ctx));
    cancel();
    await expect(canceled).rejects.toThrow(CanceledError);
    await expect(timedOut).rejects.toThrow(DeadlineExceededError);
    expect(await count()).toBe(0);
    await holder.end();
    await last;
    expect([fn.mock.calls.length, await count()]).toEqual([0, 1]);
  });

  it('extends to raw SQL, of which SQLite tells what it does', async () => {
    await db.inTransaction(background, async () => {
      await expect(pour()).rejects.toThrow(WriteOutsideTransactionError);
      expect(await count()).toBe(0);
    });
    await pour();
    expect(await count()).toBe(1);
  });
});

describe('another process', () => {
  it('is waited for, without blocking this one', async () => {
    await using other = connect(`sqlite:${path}`, () => {});
    const holder = await holding(other);
    const transaction = db.inTransaction(background, (ctx) => pour(db, ctx));
    expect(await count()).toBe(0);
    await holder.end();
    await Promise.all([transaction, pour(), pour(other)]);
    expect(await count(other)).toBe(3);
  });

  it('is waited for no longer than the context lasts', async () => {
    await using other = connect(`sqlite:${path}`, () => {});
    const holder = await holding(other);
    using late = withTimeout(background, 20);
    await expect(db.inTransaction(late.ctx, async () => {})).rejects.toThrow(DeadlineExceededError);
    await holder.end();
    await db.inTransaction(background, (ctx) => pour(db, ctx));
    expect(await count()).toBe(1);
  });
});

describe('what goes wrong', () => {
  it('commits nothing after SQLite has rolled back by itself', async () => {
    const attempt = db.inTransaction(background, async (ctx) => {
      await pour(db, ctx);
      // As a full disk does it.
      await sql`rollback`.execute(db.query(ctx));
      await expect(pour(db, ctx)).rejects.toThrow(DatabaseUnavailableError);
    });
    await expect(attempt).rejects.toThrow(/no transaction is active/);
    await db.inTransaction(background, (ctx) => pour(db, ctx));
    expect(await count()).toBe(1);
  });

  it('is ended by a commit that is refused, so that the next transaction can begin', async () => {
    await sql`create table saucers (cup integer references cups deferrable initially deferred)`.execute(
      db.query(background),
    );
    const attempt = db.inTransaction(background, (ctx) => sql`insert into saucers values (7)`.execute(db.query(ctx)));
    await expect(attempt).rejects.toThrow(/FOREIGN KEY/);
    await db.inTransaction(background, (ctx) => pour(db, ctx));
    expect(await count()).toBe(1);
  });

  it('is not left to the next transaction by a rollback that fails', async () => {
    failRollback();
    const attempt = db.inTransaction(background, async (ctx) => {
      await pour(db, ctx);
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    await using other = connect(`sqlite:${path}`, () => {});
    await other.inTransaction(background, (ctx) => pour(other, ctx));
    await db.inTransaction(background, (ctx) => pour(db, ctx));
    await pour();
    expect(await count()).toBe(3);
  });

  it('is reported, and got over, where the file cannot be opened again at first', async () => {
    failRollback();
    const attempt = db.inTransaction(background, () => Promise.reject(new Error('spilt')));
    await expect(attempt).rejects.toThrow('spilt');
    await rename(folder, `${folder}.away`);
    await expect(pour()).rejects.toThrow(DatabaseUnavailableError);
    await rename(`${folder}.away`, folder);
    await db.inTransaction(background, (ctx) => pour(db, ctx));
    expect(await count()).toBe(1);
  });

  it('does not begin transactions or streams in other ways', async () => {
    const queries = db.query<{ cups: { id: number } }>(background);
    await expect(queries.transaction().execute(async () => {})).rejects.toThrow(/begin with db.inTransaction/);
    await expect(queries.selectFrom('cups').selectAll().stream().next()).rejects.toThrow(/not streamed/);
  });
});

describe('connect', () => {
  it('keeps a memory database for itself, and leaves nothing behind', async () => {
    const memory = connect('sqlite::memory:', () => {});
    const { rows } = await sql<{ file: string }>`pragma database_list`.execute(memory.query(background));
    const file = rows[0]?.file ?? '';
    expect(existsSync(file)).toBe(true);
    await memory[Symbol.asyncDispose]();
    expect(existsSync(join(file, '..'))).toBe(false);
  });

  it('opens with what keeps data', async () => {
    await db.inTransaction(background, async (ctx) => {
      const pragmas = ['journal_mode', 'synchronous', 'foreign_keys'];
      const values = pragmas.map((name) => sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db.query(ctx)));
      const rows = (await Promise.all(values)).flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)));
      expect(rows).toEqual(['wal', 2, 1]);
    });
  });

  it('refuses what is no database, or cannot be', async () => {
    await writeFile(join(folder, 'letter'), 'Dear Ann, '.repeat(1000));
    for (const path of [join(folder, 'letter'), join(folder, 'no', 'folder')]) {
      const attempt = () => connect(`sqlite:${path}`, () => {});
      expect(attempt).toThrow(DatabaseUnavailableError);
      expect(attempt).toThrow(`cannot open the database ${path}: the file`);
    }
    for (const url of ['', 'sqlite:', 'sqlite::elsewhere:', 'mysql://localhost/cups', 'postgres:cups']) {
      expect(() => connect(url, () => {}), url).toThrow(InvalidDatabaseUrlError);
    }
  });
});
