import { type Context, contextKey, throwIfDone, withValue } from '@samovar/context';
import {
  DatabaseUnavailableError,
  type Db,
  type Dialect,
  NotInTransactionError,
  type TransactionOptions,
} from '@samovar/db';
import { DomainError } from '@samovar/errors';
import { type Kysely, sql } from 'kysely';
import type { Database, RunningTransaction } from './database.ts';
import type { Holding } from './holding.ts';
import { pause } from './waiting.ts';

interface Transaction {
  state: 'open' | 'ending' | 'committed' | 'rolledBack';
  readonly running: RunningTransaction;
  readonly afterCommit: (() => void)[];
}

const maxAttempts = 10;

/** {@link Db} over SQLite or PostgreSQL. Whoever made it disposes it, when nothing uses it any more. */
export class SqlDb implements Db, AsyncDisposable {
  readonly dialect: Dialect;
  readonly #database: Database;
  readonly #holding: Holding;
  readonly #onError: (error: unknown) => void;
  /** A key of its own: a transaction of one database is none of another. */
  readonly #current = contextKey<Transaction | undefined>('db.transaction', undefined);

  /** `onError` gets what {@link afterCommit} callbacks throw; it must not throw itself. */
  constructor(database: Database, holding: Holding, onError: (error: unknown) => void) {
    this.dialect = database.dialect;
    this.#database = database;
    this.#holding = holding;
    this.#onError = onError;
  }

  query<T>(ctx: Context): Kysely<T> {
    const transaction = ctx.value(this.#current);
    return transaction?.state === 'open' ? transaction.running.queries : this.#database.pool;
  }

  async inTransaction<T>(
    ctx: Context,
    fn: (ctx: Context) => Promise<T>,
    { retry = false }: TransactionOptions = {},
  ): Promise<T> {
    throwIfDone(ctx);
    const joined = ctx.value(this.#current);
    if (joined?.state === 'open') return this.#holding.run(joined, () => fn(ctx));
    this.#holding.throwIfHolding();
    for (let attempt = 1; ; attempt++) {
      let running: RunningTransaction | undefined;
      try {
        running = await this.#database.begin(ctx);
        return await this.#run(ctx, running, fn);
      } catch (error) {
        // Once it has begun, a connection that is lost may have been lost after the commit.
        const again = isAborted(error) || (running === undefined && error instanceof DatabaseUnavailableError);
        if (!retry || attempt === maxAttempts || !again) throw error;
      }
      await pause(ctx, attempt);
    }
  }

  isInTransaction(ctx: Context): boolean {
    return ctx.value(this.#current)?.state === 'open';
  }

  async lock(ctx: Context, key: string): Promise<void> {
    const transaction = ctx.value(this.#current);
    if (transaction?.state !== 'open') throw new NotInTransactionError();
    if (this.dialect === 'sqlite') return;
    await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(transaction.running.queries);
  }

  afterCommit(ctx: Context, fn: () => void): void {
    const transaction = ctx.value(this.#current);
    if (transaction?.state === 'open' || transaction?.state === 'ending') transaction.afterCommit.push(fn);
    else if (transaction?.state !== 'rolledBack') this.#call(fn);
  }

  /** Closes the database; transactions must be over. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#database[Symbol.asyncDispose]());
  }

  async #run<T>(ctx: Context, running: RunningTransaction, fn: (ctx: Context) => Promise<T>): Promise<T> {
    const transaction: Transaction = { state: 'open', running, afterCommit: [] };
    let result: T;
    try {
      result = await this.#holding.run(transaction, () => fn(withValue(ctx, this.#current, transaction)));
      transaction.state = 'ending';
      await running.commit();
    } catch (error) {
      transaction.state = 'rolledBack';
      await running.rollback();
      throw error;
    }
    transaction.state = 'committed';
    for (const callback of transaction.afterCommit) this.#call(callback);
    return result;
  }

  #call(fn: () => unknown): void {
    try {
      const result = fn();
      // TypeScript lets an async function pass for one that returns nothing: its failure must not end the process.
      if (result instanceof Promise) result.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }
}

function isAborted(error: unknown): boolean {
  return DomainError.is(error) && error.status === 'aborted';
}
