import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { arrays } from './sql.ts';

/** Pages that are copied in one go: a pause of 3 ms, where the 1,000 that SQLite itself copies in a commit take 10. */
const copiedPages = 250;

/** The write-ahead log, whose pages have to be copied into the file now and then, or it would grow for good. */
export class Journal {
  readonly #state: StatementSync;
  readonly #copy: StatementSync;

  /** From here on no commit copies by itself. */
  constructor(db: DatabaseSync) {
    db.exec('PRAGMA wal_autocheckpoint = 0');
    this.#state = arrays(db.prepare('PRAGMA wal_checkpoint(NOOP)'));
    this.#copy = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** Whether enough is new in it to be copied. */
  isLong(): boolean {
    try {
      const [, pages, copied] = this.#state.get() as unknown as [busy: number, pages: number, copied: number];
      return pages - copied >= copiedPages;
    } catch {
      return false;
    }
  }

  /** Copies what no reader still needs as it was. */
  copy(): void {
    try {
      this.#copy.get();
    } catch {
      // Nothing is lost, and it is tried again after the next transaction.
    }
  }
}
