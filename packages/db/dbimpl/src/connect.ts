import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidDatabaseUrlError } from '@samovar/db';
import type { Database } from './database.ts';
import { SqlDb } from './db.ts';
import { Holding } from './holding.ts';
import { PostgresServer } from './postgres.ts';
import { SqliteFile } from './sqlite.ts';

const memory = 'sqlite::memory:';

/**
 * The database at `url`: `sqlite:<file>`, made if it is not there, though its folder is not; `sqlite::memory:`, empty
 * and gone when disposed; or `postgres://user:password@host:port/name`, connected to when first used. `onError` gets
 * what {@link SqlDb.afterCommit} callbacks throw. Whoever calls this disposes the result.
 *
 * @throws {InvalidDatabaseUrlError}
 * @throws {DatabaseUnavailableError} if the file is no database, or cannot be opened or made.
 */
export function connect(url: string, onError: (error: unknown) => void): SqlDb {
  const holding = new Holding();
  return new SqlDb(open(url, holding), holding, onError);
}

/** The file that {@link connect} keeps the database of `url` in; undefined: in none. @throws {InvalidDatabaseUrlError} */
export function sqliteFile(url: string): string | undefined {
  if (url === memory || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url))) return undefined;
  const path = /^sqlite:([^:].*)$/.exec(url)?.[1];
  if (path === undefined) throw new InvalidDatabaseUrlError();
  return path;
}

function open(url: string, holding: Holding): Database {
  const path = sqliteFile(url);
  if (path !== undefined) return new SqliteFile(path, holding, { durable: true });
  return url === memory ? openTemporary(holding) : new PostgresServer(url, holding);
}

/**
 * A file that is never waited for and goes with its user. SQLite's own memory databases will not do: two connections
 * that share one keep each other out, where in a file readers see what is committed beside a transaction.
 */
function openTemporary(holding: Holding): Database {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-db-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const file = new SqliteFile(join(folder, 'memory.db'), holding, { durable: false });
    return {
      dialect: file.dialect,
      pool: file.pool,
      begin: (ctx) => file.begin(ctx),
      async [Symbol.asyncDispose]() {
        await file[Symbol.asyncDispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
