import { nuid } from '@nats-io/transport-node';
import type { Logger } from '@samovar/eda';
import type { Bucket } from './bucket.ts';
import { Shared } from './shared.ts';

/** A worker's sign of life, under its name. */
export interface Heartbeat {
  /** How often it has given something back. */
  readonly given: number;
}

/** How often a heartbeat is tried. */
const attempts = 2;

/**
 * The workers that are alive, this one among them: those whose heartbeat is stored. It goes when it is too old, and never
 * comes back, as each is stored only in the place of the one before. A worker that finds its own gone begins anew, under
 * another name.
 */
export class Roster {
  readonly #bucket: Bucket<Heartbeat>;
  readonly #silentMs: number;
  readonly #logger: Logger;
  readonly #telling = new Shared(() => this.#tell());
  readonly #looking = new Map<string, Shared<number | undefined>>();
  #self = '';
  #revision = 0;
  #given = 0;
  #hasLeft = false;
  #seen: ReadonlyMap<string, number> = new Map();

  /** Whoever has been silent for `silentMs` milliseconds is dead, also where the server has not noticed. */
  constructor(bucket: Bucket<Heartbeat>, silentMs: number, logger: Logger) {
    this.#bucket = bucket;
    this.#silentMs = silentMs;
    this.#logger = logger;
  }

  /** This worker's name. */
  get self(): string {
    return this.#self;
  }

  /** How often others had given something back when they were looked at last. */
  get seen(): ReadonlyMap<string, number> {
    return this.#seen;
  }

  async join(): Promise<void> {
    const name = nuid.next();
    const revision = await this.#bucket.swap(name, { given: this.#given }, 0);
    if (revision === undefined) throw new Error(`another worker is named ${name}`);
    this.#self = name;
    this.#revision = revision;
  }

  /** Gives back all that this worker has. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#telling.idle();
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

  /** How often another worker has given something back, as of now; undefined: it is dead. */
  look(worker: string): Promise<number | undefined> {
    const looking = this.#looking.get(worker) ?? new Shared(() => this.#look(worker));
    this.#looking.set(worker, looking);
    return looking.run();
  }

  async #tell(): Promise<void> {
    if (this.#hasLeft || (await this.#replace({ given: this.#given }))) return;
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
    const [other, own] = await Promise.all([this.#bucket.get(worker), this.#bucket.get(this.#self)]);
    // Only the server's clock is looked at, which has stamped both.
    const isSilent = other.value !== undefined && own.value !== undefined && own.at - other.at >= this.#silentMs;
    const isRemoved = isSilent && (await this.#bucket.swap(worker, undefined, other.revision)) !== undefined;
    const given = isRemoved ? undefined : other.value?.given;
    const seen = new Map(this.#seen);
    if (given === undefined) {
      seen.delete(worker);
      this.#looking.delete(worker);
    } else seen.set(worker, given);
    this.#seen = seen;
    return given;
  }
}
