import {
  type ActivityKey,
  entityStream,
  type Lease,
  type Leases,
  type Peers,
  StaleLeaseError,
  type Tail,
} from '@samovar/activity';
import { type Context, throwIfDone } from '@samovar/context';
import { PeersNews, runOf, withRun } from './peersnews.ts';

interface Entry {
  worker: MemoryLeases | undefined;
  epoch: number;
  tail: Tail;
  isCompleted: boolean;
}

/** What the workers of one process share. */
export class LeaseTable {
  readonly entries = new Map<string, Entry>();
  /** The names of those that are alive. */
  readonly workers = new Map<MemoryLeases, string>();
  /** How many have ever joined. */
  joined = 0;
}

/** The leases of one worker, gone with the process: for logs in memory, and for tests. */
export class MemoryLeases implements Leases {
  readonly #table: LeaseTable;
  #runs: ReadonlySet<string> = new Set();
  readonly #news = new PeersNews();

  /** Workers that contend for activities have one table. Default: one of its own. */
  constructor(table = new LeaseTable()) {
    this.#table = table;
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    throwIfDone(ctx);
    this.#join();
    this.#runs = withRun(this.#runs, runOf(activity));
    const key = keyOf(activity);
    const { entries } = this.#table;
    const entry = entries.get(key) ?? { worker: undefined, epoch: 0, tail: null, isCompleted: false };
    entries.set(key, entry);
    if (!entry.isCompleted) {
      if (entry.worker !== undefined && entry.worker !== this) return undefined;
      entry.worker = this;
      entry.epoch++;
    }
    const { epoch, tail, isCompleted } = entry;
    return { activity, epoch, tail, isCompleted };
  }

  async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    throwIfDone(ctx);
    this.#held(lease).tail = tail;
  }

  async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    throwIfDone(ctx);
    Object.assign(this.#held(lease), { tail, isCompleted: true, worker: undefined });
  }

  async release(ctx: Context, { activity, epoch }: Lease): Promise<void> {
    throwIfDone(ctx);
    const entry = this.#table.entries.get(keyOf(activity));
    if (entry?.worker === this && entry.epoch === epoch) entry.worker = undefined;
  }

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#news.listen(listener);
  }

  /** Gives a sign of life, and hears of those of the other workers. */
  beat(): void {
    this.#join();
    const all = [...this.#table.workers].map(([leases, worker]) => ({ worker, runs: leases.#runs }));
    this.#news.tell({ self: this.#table.workers.get(this) ?? '', all });
  }

  #join(): void {
    const table = this.#table;
    if (!table.workers.has(this)) table.workers.set(this, `worker-${++table.joined}`);
  }

  /** @throws {StaleLeaseError} */
  #held({ activity, epoch }: Lease): Entry {
    const entry = this.#table.entries.get(keyOf(activity));
    if (entry?.worker === this && entry.epoch === epoch) return entry;
    throw new StaleLeaseError(activity.name, entityStream(activity.entity));
  }
}

function keyOf({ entity, name }: ActivityKey): string {
  return `${entityStream(entity)}/${name}`;
}
