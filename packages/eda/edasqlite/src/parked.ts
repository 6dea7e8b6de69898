import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ParkedChange, ParkedRequest, ParkedRow, Seq } from '@samovar/edacore';
import { upTo } from './sql.ts';

/**
 * What subscriptions have parked, a row each, and what waits behind that, a row each as well: however much waits, one
 * more is one row more.
 */
export class ParkedTables {
  readonly #rows: StatementSync;
  readonly #requested: StatementSync;
  readonly #waiting: StatementSync;
  readonly #keyBehind: StatementSync;
  readonly #firstWaiting: StatementSync;
  readonly #count: StatementSync;
  readonly #countWaiting: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #wait: StatementSync;
  readonly #stopWaiting: StatementSync;
  readonly #request: StatementSync;
  readonly #clear: readonly StatementSync[];

  constructor(db: DatabaseSync) {
    const columns = 'SELECT seq, key, attempts, error, since, request FROM parked WHERE subscription = ?';
    this.#rows = db.prepare(`${columns} AND seq > ? ORDER BY seq ${upTo}`);
    this.#requested = db.prepare(`${columns} AND request <> '' ORDER BY seq ${upTo}`);
    const waiting = 'FROM parked_waiting WHERE subscription = ?';
    this.#waiting = db.prepare(`SELECT seq ${waiting} AND key = ? AND seq > ? ORDER BY seq ${upTo}`);
    this.#keyBehind = db.prepare(`SELECT min(key) AS key ${waiting} AND key > ?`);
    this.#firstWaiting = db.prepare(`SELECT min(seq) AS seq ${waiting}`);
    this.#count = db.prepare("SELECT count(*) AS count FROM parked WHERE subscription = ? AND request = ''");
    this.#countWaiting = db.prepare(`SELECT count(*) AS count ${waiting}`);
    this.#put = db.prepare('REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM parked WHERE subscription = ? AND seq = ?');
    this.#wait = db.prepare('REPLACE INTO parked_waiting VALUES (?, ?, ?)');
    this.#stopWaiting = db.prepare('DELETE FROM parked_waiting WHERE subscription = ? AND seq = ?');
    const request = "UPDATE parked SET request = ? WHERE subscription = ? AND seq = ? AND request = ''";
    this.#request = db.prepare(request);
    this.#clear = ['parked', 'parked_waiting'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE subscription = ?`),
    );
  }

  rows(name: string, after: Seq, limit: number): ParkedRow[] {
    return this.#rows.all(name, after, limit).map(asRow);
  }

  requested(name: string, limit: number): ParkedRow[] {
    return this.#requested.all(name, limit).map(asRow);
  }

  waiting(name: string, key: string, after: Seq, limit: number): Seq[] {
    return this.#waiting.all(name, key, after, limit).map(({ seq }) => seq as Seq);
  }

  /** One look for each key, however many events of it wait. */
  waitingKeys(name: string, after: string | undefined, limit: number): string[] {
    const keys: string[] = [];
    if (after === undefined && this.#waiting.get(name, '', 0, 1) !== undefined) keys.push('');
    for (let last = after ?? ''; keys.length < limit; ) {
      const key = this.#keyBehind.get(name, last)?.key as string | null;
      if (key === null) break;
      keys.push(key);
      last = key;
    }
    return keys;
  }

  firstWaiting(name: string): Seq | undefined {
    return (this.#firstWaiting.get(name)?.seq as Seq | null) ?? undefined;
  }

  count(name: string): number {
    return this.#count.get(name)?.count as number;
  }

  countWaiting(name: string): number {
    return this.#countWaiting.get(name)?.count as number;
  }

  apply(name: string, { parked, waiting }: ParkedChange): void {
    for (const [seq, row] of parked) {
      if (row === null) this.#delete.run(name, seq);
      else this.#put.run(name, seq, row.key, row.attempts, row.error, row.since, row.request);
    }
    for (const [seq, { key, waits }] of waiting) {
      if (waits) this.#wait.run(name, seq, key);
      else this.#stopWaiting.run(name, seq);
    }
  }

  clear(name: string): void {
    for (const statement of this.#clear) statement.run(name);
  }

  /** As `Subscriptions.request` says; inside a transaction. */
  request(name: string, seqs: readonly Seq[], request: ParkedRequest): Seq[] {
    const others = seqs.filter((seq) => {
      const [row] = this.rows(name, seq - 1, 1);
      return row?.seq !== seq || row.request !== '';
    });
    if (others.length === 0) for (const seq of seqs) this.#request.run(request, name, seq);
    return others;
  }
}

function asRow(row: unknown): ParkedRow {
  return { ...(row as ParkedRow) };
}
