import { type ActivityKey, entityStream, type Lease, type Leases, StaleLeaseError, type Tail } from '@samovar/activity';
import { type Context, throwIfDone } from '@samovar/context';

interface Entry {
  worker: Leases | undefined;
  epoch: number;
  tail: Tail;
  isCompleted: boolean;
}

/** What the workers of one process share. */
export type LeaseTable = Map<string, Entry>;

/** The leases of one worker, gone with the process: for logs in memory, and for tests. */
export class MemoryLeases implements Leases {
  readonly #table: LeaseTable;

  /** Workers that contend for activities have one table. Default: one of its own. */
  constructor(table: LeaseTable = new Map()) {
    this.#table = table;
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    throwIfDone(ctx);
    const key = keyOf(activity);
    const entry = this.#table.get(key) ?? { worker: undefined, epoch: 0, tail: null, isCompleted: false };
    this.#table.set(key, entry);
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
    const entry = this.#table.get(keyOf(activity));
    if (entry?.worker === this && entry.epoch === epoch) entry.worker = undefined;
  }

  /** @throws {StaleLeaseError} */
  #held({ activity, epoch }: Lease): Entry {
    const entry = this.#table.get(keyOf(activity));
    if (entry?.worker === this && entry.epoch === epoch) return entry;
    throw new StaleLeaseError(activity.name, entityStream(activity.entity));
  }
}

function keyOf({ entity, name }: ActivityKey): string {
  return `${entityStream(entity)}/${name}`;
}
