import { DomainError } from '@samovar/errors';

/** The database cannot be reached, or gave up the connection (db.unavailable). Trying again later may help. */
export class DatabaseUnavailableError extends DomainError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super('unavailable', 'db.unavailable', { publicMessage: 'the database is unavailable', message: why, ...options });
  }
}

/** The URL names no database that is known how to open (db.invalidUrl). */
export class InvalidDatabaseUrlError extends DomainError {
  constructor() {
    super('invalid_argument', 'db.invalidUrl', {
      publicMessage: "a database's URL is sqlite:<file>, sqlite::memory: or postgres://user:password@host/name",
    });
  }
}

/** A transaction lost against others: busy, deadlock or serialization (db.conflict). Doing it again as a whole helps. */
export class TransactionConflictError extends DomainError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('aborted', 'db.conflict', { publicMessage: 'too much is going on at once: try again', ...options });
  }
}

/** A migration that has run is not what it was then, or is gone (db.migrationChanged); nothing was migrated. */
export class MigrationChangedError extends DomainError {
  constructor(service: string, name: string, why: string) {
    super('failed_precondition', 'db.migrationChanged', {
      publicMessage: `migration ${service}/${name} ${why}: restore it as it was, and add another step instead`,
      details: { service, name },
    });
  }
}

/** Migrations have not run on the database, and the start was told not to run them (db.migrationsPending). */
export class MigrationsPendingError extends DomainError {
  /** `pending` are the steps as `<service>/<name>`, in the order in which they are to run. */
  constructor(pending: readonly string[]) {
    super('failed_precondition', 'db.migrationsPending', {
      publicMessage: `the database has still to be migrated (${pending.join(', ')}): run samovar migrate`,
      details: { pending },
    });
  }
}

/**
 * A write was attempted outside of the transaction that the same call holds (db.writeOutsideTransaction): on SQLite it
 * would wait for itself.
 */
export class WriteOutsideTransactionError extends DomainError {
  constructor() {
    super('internal', 'db.writeOutsideTransaction', {
      publicMessage: 'internal error',
      message: 'this call holds a transaction, and writes beside it: pass on the ctx that inTransaction gave to its fn',
    });
  }
}

/** What needs a transaction was asked for without one (db.notInTransaction). */
export class NotInTransactionError extends DomainError {
  constructor() {
    super('internal', 'db.notInTransaction', {
      publicMessage: 'internal error',
      message: 'this needs a transaction: call it inside of inTransaction, with the ctx that its fn is given',
    });
  }
}
