import { connect, type NatsConnection } from '@nats-io/transport-node';
import { InvalidActivityError, type WorkerLeases, type Workers } from '@samovar/activity';
import { type Clock, systemClock } from '@samovar/activitycore';
import type { Logger } from '@samovar/eda';
import { natsOptions, parseNatsUrl } from '@samovar/nats';
import { Bucket } from './bucket.ts';
import { type Entry, NatsLeases } from './leases.ts';
import { type Heartbeat, Roster } from './roster.ts';

export interface NatsWorkersOptions {
  /** The event log's: the leases are kept beside it, as `<cluster>-leases` and `<cluster>-workers`. */
  readonly cluster: string;
  /** How many servers keep the leases, if nobody has made them yet. Default: 1. */
  readonly replicas?: number;
  /**
   * Milliseconds after which the leases of a worker are free at the latest once it gives no sign of life, also for a
   * worker whose process stands still: from 1,000 up. The same for all. Default: 10,000.
   */
  readonly leaseMs?: number;
  /** When signs of life are given. Default: the system's. */
  readonly clock?: Clock;
  /** Told, at warn, of signs of life that could not be given or found. */
  readonly logger: Logger;
}

/** Signs of life in a lease's time. */
const beats = 6;
/** Milliseconds until connecting, or a question to the server, has failed. */
const timeout = 5_000;

/**
 * Workers whose leases are in JetStream KV. What is acknowledged survives a crash of the server's process, and with
 * replicas the loss of a server.
 *
 * A worker is alive as long as its one heartbeat is stored, which the server removes after the lease time, or, where the
 * server is late, whoever asks for it. Each heartbeat is stored only in the place of the one before, so none ever comes
 * back: a worker that was silent for too long finds that out with its next sign of life, and begins anew under another
 * name. Whatever it had is stale then, be it claimed by another or not. What it stores before it finds out is refused where
 * another has claimed the activity, and stored where nobody has, as then nobody else has run it. All workers may have
 * to begin anew after the server was away for longer than the lease time.
 *
 * Made for server 2.9 and later.
 */
export class NatsWorkers implements Workers, AsyncDisposable {
  readonly leaseMs: number;
  readonly #nc: NatsConnection;
  readonly #entries: Bucket<Entry>;
  readonly #heartbeats: Bucket<Heartbeat>;
  readonly #clock: Clock;
  readonly #logger: Logger;

  private constructor(
    nc: NatsConnection,
    buckets: readonly [Bucket<Entry>, Bucket<Heartbeat>],
    { clock, leaseMs, logger }: Pick<Required<NatsWorkersOptions>, 'clock' | 'leaseMs' | 'logger'>,
  ) {
    this.#nc = nc;
    [this.#entries, this.#heartbeats] = buckets;
    this.leaseMs = leaseMs;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Connects to the servers at `url`, which is of the form that the event log's has, and makes the buckets if they are not
   * there.
   *
   * @throws {InvalidActivityError} @throws {RangeError} if an argument is not as described.
   */
  static async open(url: string, options: NatsWorkersOptions): Promise<NatsWorkers> {
    const { cluster, replicas = 1, leaseMs = 10_000, clock = systemClock, logger } = options;
    if (!(leaseMs >= 1_000)) throw new RangeError(`a lease cannot last ${leaseMs} milliseconds`);
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(cluster)) {
      throw new InvalidActivityError('cluster', 'is not 1 to 64 letters, digits, _ and -');
    }
    const address = parseNatsUrl(url, (why) => new InvalidActivityError('url', why));
    const nc = await connect(natsOptions(address, timeout));
    try {
      const entries = await Bucket.open<Entry>(nc, { name: `${cluster}-leases`, replicas, timeoutMs: timeout });
      // A sign of life that is not answered leaves time for another one.
      const short = { maxAgeMs: leaseMs, timeoutMs: Math.min(timeout, leaseMs / 3) };
      const heartbeats = await Bucket.open<Heartbeat>(nc, { name: `${cluster}-workers`, replicas, ...short });
      return new NatsWorkers(nc, [entries, heartbeats], { clock, leaseMs, logger });
    } catch (error) {
      await nc.close();
      throw error;
    }
  }

  async join(): Promise<WorkerLeases> {
    const everyMs = this.leaseMs / beats;
    // The last heartbeat of this worker, which tells the time, may be as old as that.
    const roster = new Roster(this.#heartbeats, this.leaseMs - everyMs, this.#logger);
    await roster.join();
    const leases = new NatsLeases({
      entries: this.#entries,
      roster,
      everyMs,
      clock: this.#clock,
      logger: this.#logger,
    });
    await roster.lookAround();
    return leases;
  }

  /** Closes the connection. Workers are to be disposed before. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#nc.close();
  }
}
