import { nuid } from '@nats-io/transport-node';
import { PeersNews, withRun } from '@samovar/activitycore';
import type { Logger } from '@samovar/eda';
import type { Bucket, Stored } from './bucket.ts';
import { Shared } from './shared.ts';

/** A worker's sign of life, under its name. */
export interface Heartbeat {
  /** How often it has given something back. */
  readonly given: number;
  /** As {@link Peer.runs}. Workers of earlier versions do not tell. */
  readonly runs?: readonly string[];
}

/** How often a heartbeat is tried. */
const attempts = 2;
/** Workers seen before that are looked at again at once: thirty within two beats, a third of the lease time. */
const mostInTurn = 16;

/**
 * The workers that are alive, this one among them: those whose heartbeat is stored. It goes when it is too old, and never
 * comes back, as each is stored only in the place of the one before. A worker that finds its own gone begins anew, under
 * another name.
 */
export class Roster {
  /** Told of all of them, as they were found by looking around. */
  readonly news = new PeersNews();
  readonly #bucket: Bucket<Heartbeat>;
  readonly #silentMs: number;
  readonly #logger: Logger;
  readonly #telling = new Shared(() => this.#tell());
  readonly #looking = new Map<string, Shared<number | undefined>>();
  readonly #lookingAround = new Shared(() => this.#lookAround());
  readonly #own: Shared<Stored<Heartbeat>>;
  #runs: ReadonlySet<string> = new Set();
  #self = '';
  #revision = 0;
  #given = 0;
  #hasLeft = false;
  /** Those that are alive; first whoever was not looked at for longest. */
  #seen: ReadonlyMap<string, Heartbeat> = new Map();
  /** Those whose keys are there still, and say that they are dead. */
  #gone = new Set<string>();
  #isBlind = false;

  /** Whoever has been silent for `silentMs` milliseconds is dead, also where the server has not noticed. */
  constructor(bucket: Bucket<Heartbeat>, silentMs: number, logger: Logger) {
    this.#bucket = bucket;
    this.#own = new Shared(() => bucket.get(this.#self));
    this.#silentMs = silentMs;
    this.#logger = logger;
  }

  /** This worker's name. */
  get self(): string {
    return this.#self;
  }

  /** The heartbeats of those that are alive, when they were looked at last. */
  get seen(): ReadonlyMap<string, Heartbeat> {
    return this.#seen;
  }

  async join(): Promise<void> {
    const name = nuid.next();
    const revision = await this.#bucket.swap(name, this.#heartbeat, 0);
    if (revision === undefined) throw new Error(`another worker is named ${name}`);
    this.#self = name;
    this.#revision = revision;
  }

  /** Gives back all that this worker has. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#telling.idle();
    await this.#lookingAround.idle();
    await this.#replace(undefined);
  }

  /** Gives a sign of life. */
  beat(): Promise<void> {
    return this.#telling.run();
  }

  /** Tells the others that this worker has given something back; if that fails, with its next sign of life. */
  async giveBack(): Promise<void> {
    this.#given++;
    await this.#telling.run().catch(() => {});
  }

  /** Tells the others that this worker runs that, too, as {@link giveBack} does. */
  async announce(run: string): Promise<void> {
    const runs = withRun(this.#runs, run);
    if (runs === this.#runs) return;
    this.#runs = runs;
    await this.#telling.run().catch(() => {});
  }

  /**
   * Looks at all workers that came or went, and at some of the others, in turn, and tells of them. If that fails, which
   * is logged, they are taken to be as they were.
   */
  lookAround(): Promise<void> {
    return this.#lookingAround.run();
  }

  /** How often another worker has given something back, as of now; undefined: it is dead. */
  look(worker: string): Promise<number | undefined> {
    const looking = this.#looking.get(worker) ?? new Shared(() => this.#look(worker));
    this.#looking.set(worker, looking);
    return looking.run();
  }

  get #heartbeat(): Heartbeat {
    return { given: this.#given, runs: [...this.#runs] };
  }

  async #tell(): Promise<void> {
    if (this.#hasLeft || (await this.#replace(this.#heartbeat))) return;
    this.#logger.warn('this worker was silent for too long: it has lost its leases of activities');
    await this.join();
  }

  /** Whether this worker was still alive. */
  async #replace(heartbeat: Heartbeat | undefined): Promise<boolean> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const stored = await this.#bucket.swap(this.#self, heartbeat, this.#revision);
      this.#revision = stored ?? this.#revision;
      if (stored !== undefined) return true;
      // One before may have been stored, although that seemed to fail.
      const { value, revision } = await this.#bucket.get(this.#self);
      if (value === undefined) return false;
      this.#revision = revision;
    }
    throw new Error('the server refuses the sign of life of this worker');
  }

  async #look(worker: string): Promise<number | undefined> {
    const [other, own] = await Promise.all([this.#bucket.get(worker), this.#own.run()]);
    // Only the server's clock is looked at, which has stamped both.
    const isSilent = other.value !== undefined && own.value !== undefined && own.at - other.at >= this.#silentMs;
    const isRemoved = isSilent && (await this.#bucket.swap(worker, undefined, other.revision)) !== undefined;
    const heartbeat = isRemoved ? undefined : other.value;
    const seen = new Map(this.#seen);
    seen.delete(worker);
    if (heartbeat === undefined) {
      if (other.revision > 0) this.#gone.add(worker);
      this.#looking.delete(worker);
    } else seen.set(worker, heartbeat);
    this.#seen = seen;
    return heartbeat?.given;
  }

  async #lookAround(): Promise<void> {
    try {
      await this.#lookAtMany();
    } catch (error) {
      const fields = { err: error };
      if (!this.#isBlind) this.#logger.warn('this worker cannot find out which others are alive', fields);
      this.#isBlind = true;
      return;
    }
    this.#isBlind = false;
    const heartbeats = new Map(this.#seen).set(this.#self, this.#heartbeat);
    const all = Array.from(heartbeats, ([worker, { runs }]) => ({ worker, runs: new Set(runs) }));
    this.news.tell({ self: this.#self, all });
  }

  async #lookAtMany(): Promise<void> {
    const listed = await this.#bucket.keys();
    this.#gone = this.#gone.intersection(listed);
    const cameOrWent = listed.difference(this.#gone).symmetricDifference(this.#seen);
    const inTurn = new Set([...this.#seen.keys()].slice(0, mostInTurn));
    await Promise.all(Array.from(cameOrWent.union(inTurn), (worker) => this.look(worker)));
  }
}
