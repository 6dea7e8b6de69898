import type { Seq } from '../ids.ts';
import type { Parked, ParkedChange, ParkedRow, Pending } from '../stored.ts';
import { Backlog } from './backlog.ts';
import { Unstored } from './changes.ts';
import { Lookup, type LookupEvents } from './lookup.ts';
import type { CarriedOut, GivenUp, Parking } from './parking.ts';
import { type Delivery, newDelivery, pendingOf } from './unacked.ts';

const pageSize = 500;

/**
 * What a subscription with order has parked, and what waits behind it: kept here as far as it takes to deliver the rest, one entry
 * for each parked event, and stored with the offset. What waits is known to the store alone.
 */
export class OrderedParking implements Parking {
  readonly #store: Parked;
  readonly #lookup: Lookup;
  readonly #unstored = new Unstored();
  readonly #tried: ReadonlyMap<Seq, number>;
  readonly #byKey = new Map<string, Backlog>();
  readonly #bySeq = new Map<Seq, Backlog>();
  readonly #active = new Set<Backlog>();
  #parked = 0;
  #size = 0;
  #first: Seq | undefined;
  #isFirstKnown = true;
  #sweep: Iterator<Backlog> | undefined;

  /** `tried` says how often events were handed out before. */
  constructor(store: Parked, tried: readonly Pending[], on: LookupEvents) {
    this.#store = store;
    this.#lookup = new Lookup(on);
    this.#tried = new Map(tried.map(([seq, count]) => [seq, count]));
    this.#load();
  }

  get parked(): number {
    return this.#parked;
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#bySeq.size === 0;
  }

  get hasChanges(): boolean {
    return this.#unstored.changes.any;
  }

  get active(): number {
    return this.#active.size;
  }

  get first(): Seq | undefined {
    if (!this.#isFirstKnown) {
      this.#first = undefined;
      for (const seq of this.#bySeq.keys()) if (this.#first === undefined || seq < this.#first) this.#first = seq;
      this.#isFirstKnown = true;
    }
    return this.#first;
  }

  get trying(): Pending[] {
    return [...this.#active].flatMap(({ delivery }) => (delivery === undefined ? [] : [pendingOf(delivery)]));
  }

  has(seq: Seq): boolean {
    return this.#bySeq.has(seq);
  }

  firstParked(seq: Seq): Seq | undefined {
    let first: Seq | undefined;
    if (this.#parked === 0) return first;
    for (const { seq: at, state } of this.#bySeq.values()) {
      if (state === 'parked' && at <= seq && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  blocks(key: string): boolean {
    return this.#byKey.has(key);
  }

  wait(key: string, seq: Seq): void {
    this.#size++;
    this.#byKey.get(key)?.add(seq);
    this.#unstored.changes.waiting.set(seq, { key, waits: true });
  }

  /** Without a key, or where another of it is parked, the event is alone. */
  park(event: GivenUp, key: string | undefined, behind: readonly Delivery[]): void {
    const backlog = new Backlog(key === undefined || this.blocks(key) ? null : key, event.seq, false, event.attempts);
    this.#size++;
    this.#add(backlog);
    this.#put(backlog, event);
    if (key !== undefined) for (const { event } of behind) this.wait(key, event.seq);
  }

  parkAgain(backlog: Backlog, event: GivenUp): void {
    if (backlog.waits) this.#unstored.changes.waiting.set(backlog.seq, { key: backlog.key ?? '', waits: false });
    this.#stopTrying(backlog);
    backlog.waits = false;
    backlog.attempts = event.attempts;
    backlog.state = 'parking';
    this.#put(backlog, event);
  }

  acknowledged(backlog: Backlog): void {
    this.#advance(backlog);
  }

  take(): Delivery | 'gone' | undefined {
    const next = this.#lookup.take();
    if (next === undefined) return undefined;
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

  refresh(): void {
    // Nobody else stores anything while this process delivers.
  }

  takeUp(): void {
    // Nor has anybody anything to leave.
  }

  carryOut(): CarriedOut {
    let [events, skipped] = [0, 0];
    // What is requested and being tried is still among them.
    for (const { seq, request } of this.#store.requested(pageSize + this.#lookup.size + this.#active.size)) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state !== 'parked') continue;
      events++;
      if (request === 'skip') {
        skipped++;
        this.#unpark(backlog);
      } else {
        this.#parked--;
        backlog.state = 'open';
        this.#lookup.add(backlog);
      }
    }
    return { events, skipped };
  }

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

  forget(seqs: readonly Seq[]): number {
    let events = 0;
    for (const seq of seqs) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state !== 'parked') continue;
      events++;
      this.#unpark(backlog);
    }
    return events;
  }

  begin(): ParkedChange {
    return this.#unstored.begin();
  }

  stored(): Seq[] {
    const [stored, parked] = [this.#unstored.stored(), [] as Seq[]];
    for (const [seq, { key, waits }] of stored.waiting) if (waits) this.#byKey.get(key)?.stored(seq);
    for (const seq of stored.parked.keys()) {
      const backlog = this.#bySeq.get(seq);
      if (backlog?.state !== 'parking') continue;
      backlog.state = 'parked';
      this.#parked++;
      parked.push(seq);
    }
    return parked;
  }

  failed(): void {
    this.#unstored.failed();
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
    this.#lookup.add(backlog);
  }

  #add(backlog: Backlog): void {
    if (backlog.key !== null) this.#byKey.set(backlog.key, backlog);
    this.#bySeq.set(backlog.seq, backlog);
    if (this.#isFirstKnown) this.#first = Math.min(this.#first ?? backlog.seq, backlog.seq);
  }

  #put({ key }: Backlog, { seq, attempts, error }: GivenUp): void {
    this.#unstored.changes.parked.set(seq, { seq, key, attempts, error, since: Date.now(), request: '' });
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
    if (waits) this.#unstored.changes.waiting.set(seq, { key: key ?? '', waits: false });
    else this.#unstored.changes.parked.set(seq, null);
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
    this.#lookup.add(backlog);
  }
}
