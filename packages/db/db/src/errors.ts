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
