import type { LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Parked, ParkedChange, ParkedRow } from '../stored.ts';
import { Backlog, Changes } from './backlog.ts';
import { type Delivery, newDelivery } from './unacked.ts';

const pageSize = 500;
/** Events that are looked up together when they are to be tried. */
const fetched = 32;

/** What became of an event that is to be parked. */
export interface GivenUp {
  readonly seq: Seq;
  readonly attempts: number;
  readonly error: string;
}

/** What a parking asks and tells the dispatcher it works for. */
export interface ParkingEvents {
  /** The events at these places that still exist. */
  at(seqs: readonly Seq[]): Promise<LogEvent[]>;
  /** There is something to take. */
  onMore(): void;
  onError(error: unknown): void;
}

/**
 * What a subscription has parked, and what waits behind it: kept here as far as it takes to deliver the rest, one entry
 * for each parked event, and stored with the offset. What waits is known to the store alone.
 */
export class Parking {
  readonly #store: Parked;
  readonly #on: ParkingEvents;
  readonly #tried: ReadonlyMap<Seq, number>;
  readonly #byKey = new Map<string, Backlog>();
  readonly #bySeq = new Map<Seq, Backlog>();
  readonly #active = new Set<Backlog>();
  /** To be tried: those still to be looked up, and what was found then. */
  #ready: Backlog[] = [];
  #found: { readonly backlog: Backlog; readonly event: LogEvent | undefined }[] = [];
  #fetching = false;
  #parked = 0;
  #size = 0;
  #first: Seq | undefined;
  #isFirstKnown = true;
  #changes = new Changes();
  #storing: Changes | undefined;
  #sweep: Iterator<Backlog> | undefined;

  /** `tried` says how often an event was handed out before. */
  constructor(store: Parked, tried: ReadonlyMap<Seq, number>, on: ParkingEvents) {
    this.#store = store;
    this.#on = on;
    this.#tried = tried;
    this.#load();
  }

  /** How many are parked, as is stored. */
  get parked(): number {
    return this.#parked;
  }

  /** How many are parked or wait, stored or not. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing is parked nor waits. */
  get isEmpty(): boolean {
    return this.#bySeq.size === 0;
  }

  /** Whether there is something to store. */
  get hasChanges(): boolean {
    return this.#changes.parked.size + this.#changes.waiting.size > 0;
  }

  /** How many are being tried. */
  get active(): number {
    return this.#active.size;
  }

  /** The first event that is parked or waits. */
  get first(): Seq | undefined {
    if (!this.#isFirstKnown) {
      this.#first = undefined;
      for (const seq of this.#bySeq.keys()) if (this.#first === undefined || seq < this.#first) this.#first = seq;
      this.#isFirstKnown = true;
    }
    return this.#first;
  }

  /** Those being tried. */
  get trying(): Delivery[] {
    return [...this.#active].flatMap(({ delivery }) => delivery ?? []);
  }

  /** Whether the event is parked, or the next one behind a parked one. */
  has(seq: Seq): boolean {
    return this.#bySeq.has(seq);
  }

  /** The first parked event up to `seq`. */
  firstParked(seq: Seq): Seq | undefined {
    let first: Seq | undefined;
    if (this.#parked === 0) return first;
    for (const { seq: at, state } of this.#bySeq.values()) {
      if (state === 'parked' && at <= seq && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  /** Whether events of the key have to wait. */
  blocks(key: string): boolean {
    return this.#byKey.has(key);
  }

  wait(key: string, seq: Seq): void {
    this.#size++;
    this.#byKey.get(key)?.add(seq);
    this.#changes.waiting.set(seq, { key, waits: true });
  }

  /** Parks an event, and has others of its key wait. Without a key, or where another of it is parked, it is alone. */
  park(event: GivenUp, key: string | undefined, behind: readonly Delivery[]): void {
    const backlog = new Backlog(key === undefined || this.blocks(key) ? null : key, event.seq, false, event.attempts);
    this.#size++;
    this.#add(backlog);
    this.#put(backlog, event);
    if (key !== undefined) for (const { event } of behind) this.wait(key, event.seq);
  }

  /** What was tried as part of a backlog is parked in its place. */
  parkAgain(backlog: Backlog, event: GivenUp): void {
    if (backlog.waits) this.#changes.waiting.set(backlog.seq, { key: backlog.key ?? '', waits: false });
    this.#stopTrying(backlog);
    backlog.waits = false;
    backlog.attempts = event.attempts;
    backlog.state = 'parking';
    this.#put(backlog, event);
  }

  /** What was tried as part of a backlog is acknowledged. */
  acknowledged(backlog: Backlog): void {
    this.#advance(backlog);
  }

  /** The next one to try; 'gone' where it does not exist any more. If none is at hand, `onMore` follows when one is. */
  take(): Delivery | 'gone' | undefined {
    const next = this.#found.shift();
    if (next === undefined) {
      if (this.#ready.length > 0 && !this.#fetching) void this.#fetch(this.#ready.splice(0, fetched));
      return undefined;
    }
    const { backlog, event } = next;
    if (event === undefined) {
      this.#advance(backlog);
      return 'gone';
    }
    const { seq, waits, attempts } = backlog;
    const before = waits ? 0 : attempts;
    backlog.delivery = newDelivery(event, Math.max(before, this.#tried.get(seq) ?? 0), undefined, backlog, before);
    this.#active.add(backlog);
    return backlog.delivery;
  }

  /** Carries out what is requested. Answers with how many events are given up by that. */
  carryOut(): number {
    let skipped = 0;
    // What is requested and being tried is still among them.
    for (const { seq, request } of this.#store.requested(pageSize + this.#ready.length + fetched + this.#active.size)) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state !== 'parked') continue;
      if (request === 'skip') {
        skipped++;
        this.#unpark(backlog);
      } else {
        this.#parked--;
        backlog.state = 'open';
        this.#ready.push(backlog);
      }
    }
    return skipped;
  }

  /** Some parked events, at most `limit`; all of them in turn, call by call. */
  someParked(limit: number): Seq[] {
    this.#sweep ??= this.#bySeq.values();
    const seqs: Seq[] = [];
    for (let looked = 0; looked < limit; looked++) {
      const { done, value: backlog } = this.#sweep.next();
      if (done) {
        this.#sweep = undefined;
        break;
      }
      if (backlog.state === 'parked') seqs.push(backlog.seq);
    }
    return seqs;
  }

  /** These do not exist any more. */
  forget(seqs: readonly Seq[]): void {
    for (const seq of seqs) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state === 'parked') this.#unpark(backlog);
    }
  }

  /** What has changed, to be stored with the offset; `stored`, `failed` or nothing more follows. */
  begin(): ParkedChange {
    this.#storing = this.#changes;
    this.#changes = new Changes();
    return this.#storing;
  }

  /** Answers with the events that are parked by that. */
  stored(): Seq[] {
    const [storing, parked] = [this.#storing ?? new Changes(), [] as Seq[]];
    this.#storing = undefined;
    for (const [seq, { key, waits }] of storing.waiting) if (waits) this.#byKey.get(key)?.stored(seq);
    for (const seq of storing.parked.keys()) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state !== 'parking') continue;
      backlog.state = 'parked';
      this.#parked++;
      parked.push(seq);
    }
    return parked;
  }

  failed(): void {
    this.#changes = this.#storing?.followedBy(this.#changes) ?? this.#changes;
    this.#storing = undefined;
  }

  async #fetch(backlogs: readonly Backlog[]): Promise<void> {
    this.#fetching = true;
    try {
      const events = await this.#on.at(backlogs.map(({ seq }) => seq));
      const bySeq = new Map(events.map((event) => [event.seq, event]));
      for (const backlog of backlogs) this.#found.push({ backlog, event: bySeq.get(backlog.seq) });
      this.#on.onMore();
    } catch (error) {
      this.#ready.unshift(...backlogs);
      this.#on.onError(error);
    } finally {
      this.#fetching = false;
    }
  }

  #load(): void {
    this.#size = this.#store.countWaiting();
    for (let after = 0, rows: ParkedRow[] = []; ; after = rows.at(-1)?.seq ?? after) {
      rows = this.#store.rows(after, pageSize);
      for (const { key, seq, attempts } of rows) {
        const backlog = new Backlog(key, seq, false, attempts);
        backlog.state = 'parked';
        this.#parked++;
        this.#size++;
        this.#add(backlog);
      }
      if (rows.length < pageSize) break;
    }
    for (let after: string | undefined, keys: string[] = []; ; after = keys.at(-1)) {
      keys = this.#store.waitingKeys(after, pageSize);
      for (const key of keys) if (!this.#byKey.has(key)) this.#loadWaiting(key);
      if (keys.length < pageSize) break;
    }
  }

  /** What was not through with a backlog whose first event is not parked any more. */
  #loadWaiting(key: string): void {
    const [seq] = this.#store.waiting(key, 0, 1);
    if (seq === undefined) return;
    const backlog = new Backlog(key, seq, true, 0);
    backlog.state = 'open';
    this.#add(backlog);
    this.#ready.push(backlog);
  }

  #add(backlog: Backlog): void {
    if (backlog.key !== null) this.#byKey.set(backlog.key, backlog);
    this.#bySeq.set(backlog.seq, backlog);
    if (this.#isFirstKnown) this.#first = Math.min(this.#first ?? backlog.seq, backlog.seq);
  }

  #put({ key }: Backlog, { seq, attempts, error }: GivenUp): void {
    this.#changes.parked.set(seq, { seq, key, attempts, error, since: Date.now(), request: '' });
  }

  #unpark(backlog: Backlog): void {
    this.#parked--;
    this.#advance(backlog);
  }

  #stopTrying(backlog: Backlog): void {
    backlog.delivery = undefined;
    this.#active.delete(backlog);
  }

  /** Done with the first one: goes on to the next one of its key. */
  #advance(backlog: Backlog): void {
    const { seq, key, waits } = backlog;
    this.#size--;
    this.#stopTrying(backlog);
    if (waits) this.#changes.waiting.set(seq, { key: key ?? '', waits: false });
    else this.#changes.parked.set(seq, null);
    this.#bySeq.delete(seq);
    if (seq === this.#first) this.#isFirstKnown = false;
    const next = backlog.next(this.#store);
    if (next === undefined) {
      if (key !== null) this.#byKey.delete(key);
      return;
    }
    backlog.seq = next;
    backlog.waits = true;
    backlog.attempts = 0;
    backlog.state = 'open';
    this.#bySeq.set(next, backlog);
    this.#ready.push(backlog);
  }
}
