import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { DatabaseUnavailableError, TransactionConflictError } from '@samovar/db';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Queries } from './database.ts';

export type Execute = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/** SQLite's primary result codes. */
const busy = 5;
const locked = 6;
const readOnly = 8;
const unavailable = new Map([
  [10, 'the disk fails'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
  [26, 'the file is no SQLite database'],
]);

/** Queries in SQLite's dialect; `control` runs what begins and ends transactions. */
export function sqliteQueries(execute: Execute, control: (sql: string) => void): Queries {
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new SqliteDriver(execute, control),
      createIntrospector: (queries) => new SqliteIntrospector(queries),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** @throws as SQLite refuses it: {@link translated}. */
export function execute(sqlite: DatabaseSync, { sql, parameters }: CompiledQuery): QueryResult<unknown> {
  try {
    const statement = sqlite.prepare(sql);
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) return { rows: statement.all(...values) };
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  } catch (error) {
    throw translated(error);
  }
}

/** Whether a connection that only reads was asked to write. */
export function isReadOnly(error: unknown): boolean {
  return primaryCode(error) === readOnly;
}

/** What callers know of node:sqlite's `error`; itself, if that is nothing. */
export function translated(error: unknown): unknown {
  const code = primaryCode(error);
  if (code === busy || code === locked) return new TransactionConflictError({ cause: error });
  const why = code === undefined ? undefined : unavailable.get(code);
  return why === undefined ? error : new DatabaseUnavailableError(why, { cause: error });
}

/** Its own connection, the only one: whose turn it is, is not its concern. */
class SqliteDriver implements Driver, DatabaseConnection {
  readonly #execute: Execute;
  readonly #control: (sql: string) => void;

  constructor(execute: Execute, control: (sql: string) => void) {
    this.#execute = execute;
    this.#control = control;
  }

  async init(): Promise<void> {}
  async destroy(): Promise<void> {}
  async releaseConnection(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this;
  }

  /** Takes the lock that writing needs at once: a transaction that has read may no longer get it later. */
  async beginTransaction(): Promise<void> {
    this.#control('BEGIN IMMEDIATE');
  }

  async commitTransaction(): Promise<void> {
    this.#control('COMMIT');
  }

  async rollbackTransaction(): Promise<void> {
    this.#control('ROLLBACK');
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#execute(query) as Promise<QueryResult<R>>;
  }

  streamQuery(): never {
    throw new TypeError('results are not streamed: page through them');
  }
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined;
  return error.errcode & 0xff;
}
