import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventId } from '@samovar/eda';
import type {
  Changed,
  ChangeOptions,
  Parked,
  ParkedRequest,
  Seq,
  StoredSubscription,
  Subscriptions,
} from '@samovar/edacore';
import { ParkedTables } from './parked.ts';
import type { Task, Writer } from './writer.ts';

/** Durable subscriptions in tables; changes share their transactions with publications. */
export class SqliteSubscriptions implements Subscriptions {
  readonly #writer: Pick<Writer, 'add'>;
  readonly #read: <T>(query: () => T) => T;
  readonly #parked: ParkedTables;
  readonly #all: StatementSync;
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #newEpoch: StatementSync;
  readonly #version: StatementSync;
  /** What was read or stored last, as long as `PRAGMA data_version` says that no other connection has committed since. */
  readonly #known = new Map<string, StoredSubscription | undefined>();
  #seen: unknown;

  /** `read` makes what fails in SQLite what a caller gets to see. */
  constructor(db: DatabaseSync, writer: Writer, read: <T>(query: () => T) => T) {
    this.#writer = writer;
    this.#read = read;
    this.#parked = new ParkedTables(db);
    this.#all = db.prepare('SELECT * FROM durable_subscriptions');
    this.#find = db.prepare('SELECT * FROM durable_subscriptions WHERE name = ?');
    this.#put = db.prepare('REPLACE INTO durable_subscriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM durable_subscriptions WHERE name = ?');
    this.#version = db.prepare('PRAGMA data_version');
    this.#newEpoch = db.prepare('UPDATE log SET epoch = epoch + 1 RETURNING epoch');
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  all(): [name: string, stored: StoredSubscription][] {
    const rows = this.#read(() => this.#all.all() as unknown as SubscriptionRow[]);
    return rows.map((row) => [row.name, subscriptionOf(row)]);
  }

  peek(name: string): StoredSubscription | undefined {
    return this.#read(() => {
      const version = this.#version.get()?.data_version;
      if (version !== this.#seen) this.#known.clear();
      this.#seen = version;
      if (!this.#known.has(name)) this.#known.set(name, this.#stored(name));
      return this.#known.get(name);
    });
  }

  change(
    name: string,
    change: Parameters<Subscriptions['change']>[1],
    { isLazy }: ChangeOptions = {},
  ): Promise<StoredSubscription | undefined> {
    let changed: Changed | undefined;
    return this.#write(
      () => {
        changed = change(this.#stored(name), () => this.#newEpoch.get()?.epoch as number);
        if (changed !== undefined) this.#store(name, changed);
      },
      () => changed,
      isLazy,
    );
  }

  drop(name: string): Promise<void> {
    return this.#write(
      () => {
        this.#delete.run(name);
        this.#parked.clear(name);
      },
      () => {},
    );
  }

  parked(name: string): Parked {
    const [read, tables] = [this.#read, this.#parked];
    return {
      rows: (after, limit) => read(() => tables.rows(name, after, limit)),
      requested: (limit) => read(() => tables.requested(name, limit)),
      waiting: (key, after, limit) => read(() => tables.waiting(name, key, after, limit)),
      waitingKeys: (after, limit) => read(() => tables.waitingKeys(name, after, limit)),
      firstWaiting: () => read(() => tables.firstWaiting(name)),
      count: () => read(() => tables.count(name)),
      countWaiting: () => read(() => tables.countWaiting(name)),
    };
  }

  request(name: string, seqs: readonly Seq[], request: ParkedRequest): Promise<Seq[]> {
    let others: Seq[] = [];
    return this.#write(
      () => {
        others = this.#parked.request(name, seqs, request);
      },
      () => others,
    );
  }

  /** Runs `run` in a transaction, perhaps more than once, and answers with `result` when it is committed. */
  #write<T>(run: () => void, result: () => T, isLazy = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const changing = () => {
        this.#known.clear();
        run();
      };
      const task: Task = { isLazy, run: changing, succeed: () => resolve(result()), fail: reject };
      this.#writer.add(task);
    });
  }

  #stored(name: string): StoredSubscription | undefined {
    const row = this.#find.get(name) as unknown as SubscriptionRow | undefined;
    return row && subscriptionOf(row);
  }

  #store(name: string, { selector, options, offset, owner, epoch, beat, expires, shares, parked }: Changed): void {
    const { high, acked, last } = offset;
    const [pending, opts, others] = [JSON.stringify(offset.pending), JSON.stringify(options), JSON.stringify(shares)];
    this.#put.run(name, selector, high, pending, acked, last, owner, epoch, beat, expires, opts, others);
    if (parked === 'none') this.#parked.clear(name);
    else if (parked !== undefined) this.#parked.apply(name, parked);
  }
}

function subscriptionOf(row: SubscriptionRow): StoredSubscription {
  const { selector, high, acked, last, owner, epoch, beat, expires } = row;
  const offset = { high, pending: JSON.parse(row.pending), acked, last };
  const [options, shares] = [JSON.parse(row.options), JSON.parse(row.shares)];
  return { selector, options, offset, owner, epoch, beat, expires, shares };
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
  readonly shares: string;
}
