import { isDeepStrictEqual } from 'node:util';
import {
  type ActivityKey,
  entityStream,
  type Lease,
  type Leases,
  type Peers,
  StaleLeaseError,
  type Tail,
} from '@samovar/activity';
import { type Clock, runOf } from '@samovar/activitycore';
import { type Context, throwIfDone } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import pLimit from 'p-limit';
import type { Bucket } from './bucket.ts';
import { keyOf } from './keys.ts';
import type { Roster } from './roster.ts';
import { Turns } from './turns.ts';

/** What is stored of an activity. */
export interface Entry {
  /** Who has it, if that is alive; null: nobody. */
  readonly worker: string | null;
  readonly epoch: number;
  readonly tail: Tail;
  readonly completed: boolean;
}

/** An entry as it was stored last, as far as this worker knows. */
interface Known {
  readonly entry: Entry;
  readonly revision: number;
  /** Of another worker's entry: how often that had given something back, at most, when it still had this. */
  readonly given: number | undefined;
}

export interface NatsLeasesOptions {
  readonly entries: Bucket<Entry>;
  readonly roster: Roster;
  /** Milliseconds between signs of life. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const unclaimed: Known = {
  entry: { worker: null, epoch: 0, tail: null, completed: false },
  revision: 0,
  given: undefined,
};
/** How often a change is tried where others change the same. */
const attempts = 5;
/** Changes that wait for the server; others wait until there is room. */
const mostInFlight = 1_024;

/** The leases of one worker, in a bucket that the workers share. Each change replaces what this worker knows, or fails. */
export class NatsLeases implements Leases, AsyncDisposable {
  readonly #entries: Bucket<Entry>;
  readonly #roster: Roster;
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #known = new Map<string, Known>();
  readonly #turns = new Turns();
  readonly #limit = pLimit(mostInFlight);
  #timer: Disposable | undefined;
  #beating: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** The worker has joined. */
  constructor({ entries, roster, everyMs, clock, logger }: NatsLeasesOptions) {
    this.#entries = entries;
    this.#roster = roster;
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#logger = logger;
    this.#beatLater();
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    const key = this.#keyOf(ctx, activity);
    await this.#roster.announce(runOf(activity));
    if (await this.#isTakenStill(key)) return undefined;
    const entry = await this.#inTurn(key, () => this.#claim(key));
    return entry && { activity, epoch: entry.epoch, tail: entry.tail, isCompleted: entry.completed };
  }

  async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    if (!(await this.#change(ctx, lease, { tail }))) throw stale(lease);
  }

  async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    if (!(await this.#giveBack(ctx, lease, { tail, completed: true, worker: null }))) throw stale(lease);
  }

  async release(ctx: Context, lease: Lease): Promise<void> {
    await this.#giveBack(ctx, lease, { worker: null });
  }

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#roster.news.listen(listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #keyOf(ctx: Context, activity: ActivityKey): string {
    throwIfDone(ctx);
    if (this.#closing !== undefined) throw new TypeError('the leases are closed');
    return keyOf(activity);
  }

  #inTurn<T>(key: string, fn: () => Promise<T>): Promise<T> {
    return this.#turns.take(key, () => this.#limit(fn));
  }

  /** Whether it can be told, without a look at the entry, that another worker has it still. */
  async #isTakenStill(key: string): Promise<boolean> {
    const { entry, given } = this.#known.get(key) ?? unclaimed;
    return given !== undefined && (await this.#ownerGiven(entry)) === given;
  }

  /** undefined: another worker has it. */
  async #claim(key: string): Promise<Entry | undefined> {
    let known = this.#known.get(key) ?? unclaimed;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const { entry: before } = known;
      if (before.completed) return before;
      const given = await this.#ownerGiven(before);
      if (given === undefined) {
        const entry = { ...before, worker: this.#roster.self, epoch: before.epoch + 1 };
        if (await this.#replace(key, known.revision, entry)) return entry;
      } else if (attempt > 1) {
        this.#remember(key, known);
        return undefined;
      }
      known = await this.#read(key);
    }
    return undefined;
  }

  /** How often the other worker that has it has given something back; undefined: no other one has it. */
  async #ownerGiven({ worker }: Entry): Promise<number | undefined> {
    return worker === null || worker === this.#roster.self ? undefined : await this.#roster.look(worker);
  }

  async #giveBack(ctx: Context, lease: Lease, change: Partial<Entry>): Promise<boolean> {
    try {
      return await this.#change(ctx, lease, change);
    } finally {
      // Also where that has failed, as it may be stored all the same.
      await this.#roster.giveBack();
    }
  }

  /** Changes what this worker has; whether it still had that. */
  async #change(ctx: Context, { activity, epoch }: Lease, change: Partial<Entry>): Promise<boolean> {
    const key = this.#keyOf(ctx, activity);
    return await this.#inTurn(key, async () => {
      let known = this.#known.get(key);
      for (let attempt = 1; attempt <= attempts; attempt++) {
        if (known?.entry.worker !== this.#roster.self || known.entry.epoch !== epoch) return false;
        const entry = { ...known.entry, ...change };
        if (await this.#replace(key, known.revision, entry)) return true;
        known = await this.#read(key);
        this.#remember(key, known);
        // It was stored before, although that seemed to fail.
        if (isDeepStrictEqual(known.entry, entry)) return true;
      }
      throw new Error(`the lease of ${activity.name} of ${entityStream(activity.entity)} cannot be changed`);
    });
  }

  /** Whether `entry` is stored now. */
  async #replace(key: string, seen: number, entry: Entry): Promise<boolean> {
    const revision = await this.#entries.swap(key, entry, seen);
    if (revision === undefined) return false;
    this.#remember(key, { entry, revision, given: undefined });
    return true;
  }

  /** What nobody has may never be of interest here again. */
  #remember(key: string, known: Known): void {
    if (known.entry.worker === null) this.#known.delete(key);
    else this.#known.set(key, known);
  }

  async #read(key: string): Promise<Known> {
    const { seen } = this.#roster;
    const { revision, value: entry = unclaimed.entry } = await this.#entries.get(key);
    return { entry, revision, given: entry.worker === null ? undefined : seen.get(entry.worker)?.given };
  }

  #beatLater(): void {
    this.#timer = this.#clock.after(this.#everyMs, () => {
      this.#beating = this.#beat();
    });
  }

  async #beat(): Promise<void> {
    try {
      await this.#roster.beat();
      // The next sign of life does not wait for it.
      void this.#roster.lookAround();
    } catch (error) {
      const fields = { err: error };
      this.#logger.warn('this worker cannot tell that it is alive: it may lose its leases of activities', fields);
    }
    if (this.#closing === undefined) this.#beatLater();
  }

  async #close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#beating;
    await this.#turns.idle();
    try {
      await this.#roster.leave();
    } catch (error) {
      const fields = { err: error };
      this.#logger.warn('this worker cannot give its leases back: others get them after the lease time', fields);
    }
  }
}

function stale({ activity }: Lease): StaleLeaseError {
  return new StaleLeaseError(activity.name, entityStream(activity.entity));
}
