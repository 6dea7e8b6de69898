import {
  type ActivityKey,
  entityStream,
  type Lease,
  type Leases,
  type Peers,
  StaleLeaseError,
  type Tail,
} from '@samovar/activity';
import { type Clock, runOf, systemClock } from '@samovar/activitycore';
import { type Context, throwIfDone } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { Logger } from '@samovar/eda';
import { Batches } from './batches.ts';
import { Membership } from './membership.ts';
import { type Claim, type Held, type Row, SqlLeaseStore } from './store.ts';

export interface SqlLeasesOptions {
  /**
   * Milliseconds after which the leases of a worker are free at the latest once it gives no sign of life, also for a
   * worker whose process stands still: from 60 up. The same for all. Default: 10,000.
   */
  readonly leaseMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Told, at warn, of signs of life that could not be given. */
  readonly logger: Logger;
}

/** Signs of life in a lease's time. */
const beats = 6;

/**
 * The leases of this worker, in a database that the workers share. Claims and tails that come at about the same time are
 * stored together. Disposal gives back all leases.
 */
export class SqlLeases implements Leases, AsyncDisposable {
  readonly #membership: Membership;
  readonly #batches: Batches<Claim | Held, Row>;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #logger: Logger;
  #timer: Disposable | undefined;
  #beating: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(db: Db, { leaseMs = 10_000, clock = systemClock, logger }: SqlLeasesOptions) {
    if (!(leaseMs >= 60)) throw new RangeError(`a lease cannot last ${leaseMs} milliseconds`);
    this.#membership = new Membership(db);
    const store = new SqlLeaseStore(db, this.#membership);
    this.#batches = new Batches((batch) => store.make(batch));
    this.#clock = clock;
    this.#everyMs = leaseMs / beats;
    this.#logger = logger;
  }

  /** Joins the workers of a database that has {@link activityMigrations}. @throws {RangeError} */
  static async open(db: Db, options: SqlLeasesOptions): Promise<SqlLeases> {
    const leases = new SqlLeases(db, options);
    await leases.#membership.join();
    leases.#beatLater();
    return leases;
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    const row = await this.#make(ctx, activity, { kind: 'claim', run: runOf(activity) });
    return row && { activity, epoch: row.epoch, tail: row.tail, isCompleted: row.completed === 1 };
  }

  async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await this.#store(ctx, lease, { kind: 'tail', epoch: lease.epoch, tail });
  }

  async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await this.#store(ctx, lease, { kind: 'complete', epoch: lease.epoch, tail });
  }

  async release(ctx: Context, lease: Lease): Promise<void> {
    await this.#make(ctx, lease.activity, { kind: 'release', epoch: lease.epoch, tail: lease.tail });
  }

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#membership.onPeers(listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #store(ctx: Context, { activity }: Lease, change: Held): Promise<void> {
    const row = await this.#make(ctx, activity, change);
    if (row === undefined) throw new StaleLeaseError(activity.name, entityStream(activity.entity));
  }

  async #make(ctx: Context, { entity, name }: ActivityKey, change: Claim | Held): Promise<Row | undefined> {
    throwIfDone(ctx);
    if (this.#closing !== undefined) throw new TypeError('the leases are closed');
    return await this.#batches.add(`${entityStream(entity)}/${name}`, change);
  }

  #beatLater(): void {
    this.#timer = this.#clock.after(this.#everyMs, () => {
      this.#beating = this.#beat();
    });
  }

  async #beat(): Promise<void> {
    try {
      const wasAlive = await this.#membership.beat();
      if (!wasAlive) this.#logger.warn('this worker was silent for too long: it has lost its leases of activities');
    } catch (error) {
      this.#logger.warn('this worker cannot tell that it is alive: it may lose its leases of activities', {
        err: error,
      });
    }
    if (this.#closing === undefined) this.#beatLater();
  }

  async #close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#beating;
    await this.#batches.idle();
    await this.#membership.leave();
  }
}
