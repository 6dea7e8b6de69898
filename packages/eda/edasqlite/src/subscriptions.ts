import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventId } from '@samovar/eda';
import type { StoredSubscription, Subscriptions } from '@samovar/edacore';
import type { Writer } from './writer.ts';

/** Durable subscriptions in a table; changes share their transactions with publications. */
export class SqliteSubscriptions implements Subscriptions {
  readonly #writer: Writer;
  readonly #read: <T>(query: () => T) => T;
  readonly #all: StatementSync;
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #newEpoch: StatementSync;

  /** `read` makes what fails in SQLite what a caller gets to see. */
  constructor(db: DatabaseSync, writer: Writer, read: <T>(query: () => T) => T) {
    this.#writer = writer;
    this.#read = read;
    this.#all = db.prepare('SELECT * FROM subscriptions');
    this.#find = db.prepare('SELECT * FROM subscriptions WHERE name = ?');
    this.#put = db.prepare('REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM subscriptions WHERE name = ?');
    this.#newEpoch = db.prepare('UPDATE log SET epoch = epoch + 1 RETURNING epoch');
  }

  all(): [name: string, stored: StoredSubscription][] {
    const rows = this.#read(() => this.#all.all() as unknown as SubscriptionRow[]);
    return rows.map((row) => [row.name, subscriptionOf(row)]);
  }

  peek(name: string): StoredSubscription | undefined {
    return this.#read(() => this.#stored(name));
  }

  change(name: string, change: Parameters<Subscriptions['change']>[1]): Promise<StoredSubscription | undefined> {
    return new Promise((resolve, reject) => {
      let changed: StoredSubscription | undefined;
      const run = () => {
        changed = change(this.#stored(name), () => this.#newEpoch.get()?.epoch as number);
        if (changed !== undefined) this.#store(name, changed);
      };
      this.#writer.add({ run, succeed: () => resolve(changed), fail: reject });
    });
  }

  drop(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writer.add({ run: () => this.#delete.run(name), succeed: resolve, fail: reject });
    });
  }

  #stored(name: string): StoredSubscription | undefined {
    const row = this.#find.get(name) as unknown as SubscriptionRow | undefined;
    return row && subscriptionOf(row);
  }

  #store(name: string, { selector, options, offset, owner, epoch, beat, expires }: StoredSubscription): void {
    const { high, acked, last } = offset;
    const [pending, opts] = [JSON.stringify(offset.pending), JSON.stringify(options)];
    this.#put.run(name, selector, high, pending, acked, last, owner, epoch, beat, expires, opts);
  }
}

function subscriptionOf(row: SubscriptionRow): StoredSubscription {
  const { selector, high, acked, last, owner, epoch, beat, expires } = row;
  const offset = { high, pending: JSON.parse(row.pending), acked, last };
  return { selector, options: JSON.parse(row.options), offset, owner, epoch, beat, expires };
}

interface SubscriptionRow {
  readonly name: string;
  readonly selector: string;
  readonly high: number;
  readonly pending: string;
  readonly acked: number;
  readonly last: EventId | null;
  readonly owner: string;
  readonly epoch: number;
  readonly beat: number;
  readonly expires: number;
  readonly options: string;
}
