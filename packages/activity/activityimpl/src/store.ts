import type { Tail } from '@samovar/activity';
import { background } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { Batch } from './batches.ts';
import type { Membership } from './membership.ts';
import type { Tables } from './tables.ts';

export interface Claim {
  readonly kind: 'claim';
  /** What the worker runs that claims this, as `Peer.runs` has it. */
  readonly run: string;
}

/** A change to what a worker has: refused unless it still has the lease of that epoch. */
export interface Held {
  readonly kind: 'tail' | 'complete' | 'release';
  readonly epoch: number;
  readonly tail: Tail;
}

export type Row = Pick<Tables['activity_leases'], 'activity' | 'epoch' | 'tail' | 'completed'>;

/** How often each worker has given something back. */
type Given = ReadonlyMap<string, number>;

/** An activity that another worker has, and has not given back as long as it has given back no more than that. */
interface Taken {
  readonly worker: string;
  readonly given: number | undefined;
}

const columns = ['activity', 'epoch', 'tail', 'completed'] as const;

/**
 * The leases as rows, changed many at a time: by single statements, as a process that is paused amid a transaction would
 * keep rows locked, and whoever is to take over waiting.
 */
export class SqlLeaseStore {
  readonly #db: Db;
  readonly #membership: Membership;
  readonly #taken = new Map<string, Taken>();

  constructor(db: Db, membership: Membership) {
    this.#db = db;
    this.#membership = membership;
  }

  /** The rows of the changes that were made, and of claims of what has completed. */
  async make(batch: Batch<Claim | Held>): Promise<ReadonlyMap<string, Row>> {
    const claimed: string[] = [];
    const held: (Held & { readonly activity: string })[] = [];
    // In one order for all, so that no two transactions wait for each other.
    for (const [activity, change] of [...batch].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (change.kind === 'claim') {
        claimed.push(activity);
        this.#membership.announce(change.run);
      } else held.push({ activity, ...change });
    }
    const given: Given = claimed.length > 0 ? await this.#membership.given() : new Map();
    const claims = claimed.filter((activity) => !this.#isTaken(activity, given));
    const rows = [...(await this.#claim(claims, given)), ...(await this.#change(held))];
    return new Map(rows.map((row) => [row.activity, row]));
  }

  #isTaken(activity: string, given: Given): boolean {
    const taken = this.#taken.get(activity);
    return taken?.given !== undefined && taken.given === given.get(taken.worker);
  }

  async #claim(activities: readonly string[], given: Given): Promise<readonly Row[]> {
    if (activities.length === 0) return [];
    const worker = this.#membership.self;
    const claimed = await this.#db
      .query<Tables>(background)
      .insertInto('activity_leases')
      .values(activities.map((activity) => ({ activity, worker, epoch: 1, tail: null, completed: 0 })))
      .onConflict((conflict) =>
        conflict
          .column('activity')
          .doUpdateSet((row) => ({ worker, epoch: row('activity_leases.epoch', '+', 1) }))
          .where('activity_leases.completed', '=', 0)
          .where((lease) =>
            lease.or([
              lease('activity_leases.worker', 'is', null),
              lease('activity_leases.worker', '=', worker),
              lease.not(
                lease.exists(
                  lease
                    .selectFrom('activity_workers')
                    .select('activity_workers.worker')
                    .whereRef('activity_workers.worker', '=', 'activity_leases.worker'),
                ),
              ),
            ]),
          ),
      )
      .returning(columns)
      .execute();
    const own = new Set(claimed.map(({ activity }) => activity));
    for (const activity of own) this.#taken.delete(activity);
    return [
      ...claimed,
      ...(await this.#look(
        activities.filter((activity) => !own.has(activity)),
        given,
      )),
    ];
  }

  /** Of activities that cannot be claimed, those that have completed. */
  async #look(activities: readonly string[], given: Given): Promise<readonly Row[]> {
    if (activities.length === 0) return [];
    const rows = await this.#db
      .query<Tables>(background)
      .selectFrom('activity_leases')
      .select([...columns, 'worker'])
      .where('activity', 'in', activities)
      .execute();
    for (const { activity, worker } of rows) {
      if (worker !== null) this.#taken.set(activity, { worker, given: given.get(worker) });
    }
    return rows.filter(({ completed }) => completed === 1);
  }

  async #change(changes: readonly (Held & { readonly activity: string })[]): Promise<readonly Row[]> {
    const worker = this.#membership.self;
    const changed: Row[] = [];
    for (const [kind, ofKind] of Map.groupBy(changes, (change) => change.kind)) {
      const completed = kind === 'complete' ? 1 : 0;
      const rows = ofKind.map(({ activity, epoch, tail }) => ({ activity, worker, epoch, tail, completed }));
      changed.push(...(await this.#update(kind, rows)));
      if (kind !== 'tail') await this.#membership.giveBack();
    }
    return changed;
  }

  /** The rows are all there: this updates many of them, each with its own values, on either database. */
  #update(kind: Held['kind'], rows: readonly Tables['activity_leases'][]): Promise<readonly Row[]> {
    return this.#db
      .query<Tables>(background)
      .insertInto('activity_leases')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('activity')
          .doUpdateSet((row) => ({
            ...(kind === 'release' ? {} : { tail: row.ref('excluded.tail') }),
            ...(kind === 'tail' ? {} : { worker: null, completed: row.ref('excluded.completed') }),
          }))
          .whereRef('activity_leases.worker', '=', 'excluded.worker')
          .whereRef('activity_leases.epoch', '=', 'excluded.epoch'),
      )
      .returning(columns)
      .execute();
  }
}
