import { DatabaseSync } from 'node:sqlite';
import { background, type Context } from '@samovar/context';
import { DatabaseUnavailableError, TransactionConflictError } from '@samovar/db';
import type { CompiledQuery, QueryResult } from 'kysely';
import { type Database, type Queries, type RunningTransaction, running } from './database.ts';
import type { Holding } from './holding.ts';
import { execute, isReadOnly, sqliteQueries, translated } from './sqlitedriver.ts';
import { pause, Turns } from './waiting.ts';

/** How long a transaction waits for those of other processes, if its context lasts. */
const busyMs = 10_000;
/** SQLite itself waits by blocking the process, so it does that only while the file is opened. */
const openMs = 5_000;

export interface SqliteOptions {
  /** Whether a commit waits until it is on the disk. */
  readonly durable: boolean;
}

/**
 * SQLite in a file: one connection that writes, for one transaction or statement after another, and one that reads what
 * is committed. A statement runs to its end in this thread, so that more connections would not read more.
 */
export class SqliteFile implements Database {
  readonly dialect = 'sqlite';
  readonly pool: Queries;
  readonly #openWriter: () => DatabaseSync;
  /** undefined: it was given up, and whoever is next opens another. */
  #writer: DatabaseSync | undefined;
  readonly #reader: DatabaseSync;
  readonly #transactions: Queries;
  readonly #turns = new Turns();
  readonly #holding: Holding;

  /** @throws {DatabaseUnavailableError} if it is no database, or not there and cannot be made. */
  constructor(path: string, holding: Holding, options: SqliteOptions) {
    this.#holding = holding;
    this.#openWriter = () => openWriter(path, options);
    this.#writer = this.#openWriter();
    this.#reader = openReader(path, this.#writer);
    this.pool = sqliteQueries((query) => this.#executeOutside(query), refuseTransaction);
    this.#transactions = sqliteQueries(
      async (query) => this.#executeInside(query),
      (sql) => this.#control(sql),
    );
  }

  async begin(ctx: Context): Promise<RunningTransaction> {
    const endTurn = await this.#turns.take(ctx);
    try {
      const transaction = await unlessBusy(ctx, () => this.#transactions.startTransaction().execute());
      return running(transaction, () => {
        this.#giveUpUnended();
        endTurn();
      });
    } catch (error) {
      endTurn();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.close();
    this.#writer?.close();
  }

  #executeInside(query: CompiledQuery): QueryResult<unknown> {
    // SQLite rolls back by itself when the disk is full, and would commit what follows statement by statement.
    const writer = this.#writing();
    if (!writer.isTransaction) throw new DatabaseUnavailableError('SQLite has rolled the transaction back');
    return execute(writer, query);
  }

  async #executeOutside(query: CompiledQuery): Promise<QueryResult<unknown>> {
    // Raw SQL may do either, and only SQLite can tell: the reader refuses a write before anything is done.
    const { kind } = query.query;
    if (kind === 'SelectQueryNode' || kind === 'RawNode') {
      try {
        return execute(this.#reader, query);
      } catch (error) {
        if (!isReadOnly(error)) throw error;
      }
    }
    this.#holding.throwIfHolding();
    const endTurn = await this.#turns.take(background);
    try {
      return await unlessBusy(background, async () => execute(this.#writing(), query));
    } finally {
      endTurn();
    }
  }

  #control(sql: string): void {
    try {
      this.#writing().exec(sql);
    } catch (error) {
      throw translated(error);
    }
  }

  /** @throws {DatabaseUnavailableError} if the one before was given up, and no other can be opened. */
  #writing(): DatabaseSync {
    this.#writer ??= this.#openWriter();
    return this.#writer;
  }

  /** A rollback that failed must not leave what it should have undone to the next transaction: closing undoes it too. */
  #giveUpUnended(): void {
    const writer = this.#writer;
    if (!writer?.isOpen || !writer.isTransaction) return;
    this.#writer = undefined;
    writer.close();
  }
}

function openWriter(path: string, { durable }: SqliteOptions): DatabaseSync {
  let writer: DatabaseSync | undefined;
  try {
    writer = new DatabaseSync(path, { timeout: openMs });
    writer.exec('PRAGMA journal_mode = WAL');
    writer.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'OFF'}; PRAGMA busy_timeout = 0`);
    return writer;
  } catch (error) {
    writer?.close();
    throw unopened(path, error);
  }
}

/** Of the file that `writer` has made, or made sure of; closes it if that fails. */
function openReader(path: string, writer: DatabaseSync): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: openMs });
  } catch (error) {
    writer.close();
    throw unopened(path, error);
  }
}

function unopened(path: string, error: unknown): unknown {
  const known = translated(error);
  if (!(known instanceof DatabaseUnavailableError)) return known;
  return new DatabaseUnavailableError(`cannot open the database ${path}: ${known.message}`, { cause: error });
}

/** Tries again, for a while, what loses against other processes. */
async function unlessBusy<T>(ctx: Context, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + busyMs;
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransactionConflictError) || performance.now() > until) throw error;
    }
    await pause(ctx, count);
  }
}

function refuseTransaction(): never {
  throw new TypeError('transactions begin with db.inTransaction');
}
