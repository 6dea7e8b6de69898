import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Transactions that only read: what takes several statements takes the file's lock once, and sees one state of it. */
export class Snapshot {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare('BEGIN');
    this.#end = db.prepare('COMMIT');
  }

  of<T>(read: () => T): T {
    if (this.#db.isTransaction) return read();
    this.#begin.run();
    try {
      return read();
    } finally {
      // What fails for good may have ended it.
      if (this.#db.isTransaction) this.#end.run();
    }
  }
}
