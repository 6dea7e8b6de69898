import type { Context } from '@samovar/context';
import type { Compilable, CompiledQuery, Kysely } from 'kysely';

export {
  DatabaseUnavailableError,
  InvalidDatabaseUrlError,
  MigrationChangedError,
  MigrationsPendingError,
  NotInTransactionError,
  TransactionConflictError,
  WriteOutsideTransactionError,
} from './errors.ts';

export type Dialect = 'sqlite' | 'postgres';

export interface TransactionOptions {
  /**
   * Runs `fn` again when it fails with status `aborted`, as a {@link TransactionConflictError} does, or when the
   * database could not be reached to begin with: up to ten times in all, with back-off, and while the context lasts.
   * Only the outermost transaction is retried. Default: false.
   */
  readonly retry?: boolean;
}

/** SQL for services: one database, SQLite or PostgreSQL. The transaction travels in the context. */
export abstract class Db {
  abstract readonly dialect: Dialect;

  /**
   * What to build and run queries with: the transaction in `ctx`, or the pool. `T` maps the service's tables to their
   * rows. Without a transaction, each statement is one of its own: reads see what is committed, writes are committed
   * when they resolve. Integers come back as numbers; one that a number cannot hold is an error. Results are not
   * streamed, transactions begin with {@link inTransaction} only, and a query that has begun does not watch `ctx`.
   *
   * A query rejects with what the database refuses it for, or:
   * @throws {DatabaseUnavailableError} if the database cannot be reached.
   * @throws {TransactionConflictError} if it loses against others; on PostgreSQL, the transaction is over then.
   * @throws {WriteOutsideTransactionError} if it writes outside of the transaction that the same call has open, that is
   * from inside its `fn`; raw SQL that writes is noticed on SQLite only.
   */
  abstract query<T>(ctx: Context): Kysely<T>;

  /**
   * Runs `fn` in a transaction: the one in `ctx` if there is one, else a new one, committed when `fn` resolves and
   * rolled back when it rejects. `fn` must pass on the context it is given, and await the queries it starts. What a
   * nested call fails with rolls nothing back by itself: the outermost `fn` decides; but once PostgreSQL has refused a
   * statement, it commits nothing of the transaction. The context of a transaction that is over counts as one without.
   *
   * SQLite runs one transaction at a time, so `fn` should be short; others wait for their turn while their context
   * lasts. PostgreSQL runs them side by side, read committed: what was read may change before it is written, so write
   * with a condition, or lock the rows read.
   *
   * @throws whatever `fn` throws, or the database refuses the commit for.
   * @throws {DatabaseUnavailableError} if the database cannot be reached; at the commit, that leaves open what became
   * of it. @throws {TransactionConflictError} @throws {WriteOutsideTransactionError} if `ctx` carries no transaction
   * although the same call has one open.
   * @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done before `fn` runs, or runs again.
   */
  abstract inTransaction<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /** Whether `ctx` carries a transaction that is open. Cannot fail. */
  abstract isInTransaction(ctx: Context): boolean;

  /**
   * Lets the transactions that name one `key` take turns: resolves when no other one that did so is open, and keeps the
   * turn until the transaction in `ctx` is over. For what must be read and written without another in between, where no
   * row is there yet to be locked. SQLite's transactions take turns anyway.
   *
   * @throws {NotInTransactionError} if `ctx` carries no transaction that is open.
   * @throws {DatabaseUnavailableError} @throws {TransactionConflictError} if two wait for each other.
   */
  abstract lock(ctx: Context, key: string): Promise<void>;

  /**
   * Calls `fn` once the transaction in `ctx` is committed, before `inTransaction` settles and in the order of these
   * calls; at once outside of one or after its commit; never after a rollback. What `fn` throws is logged, and undoes
   * nothing: this cannot fail.
   */
  abstract afterCommit(ctx: Context, fn: () => void): void;
}

/** What is needed of a {@link Db} to take part in its transactions, without a query. */
export type Transactions = Pick<Db, 'inTransaction' | 'isInTransaction' | 'afterCommit'>;

/** One step that a service's tables take; it runs once, in a transaction. */
export interface Migration {
  /** Unique in its service, such as `001-letters`. */
  readonly name: string;
  /**
   * The statements, in order: queries of `db`, or raw SQL compiled with it. The checksum of their text and parameters is
   * stored: a step that has run must not be changed; add another one. Called at every start, so it must always return
   * the same.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the tables of another time have no types.
  statements(db: Kysely<any>, dialect: Dialect): readonly (Compilable | CompiledQuery)[];
}

/** A service's migrations. Bound in module.ts, any number of them; they run in the order of modules.ts. */
export abstract class Migrations {
  /** The domain; its tables begin with its name and `_`. */
  abstract readonly service: string;
  abstract readonly steps: readonly Migration[];
}
