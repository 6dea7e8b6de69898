import type { Seq } from '../ids.ts';
import type { Parked, ParkedChange, ParkedRow, Pending } from '../stored.ts';
import { Backlog } from './backlog.ts';
import { Unstored } from './changes.ts';
import { Lookup, type LookupEvents } from './lookup.ts';
import type { CarriedOut, GivenUp, Parking } from './parking.ts';
import { type Delivery, newDelivery, pendingOf } from './unacked.ts';

const pageSize = 500;
/** Events tried at the same time because they are replayed, or need no longer wait. */
const mostReplayed = 500;

/**
 * What a subscription without order has parked. The store has it, for all processes: what is replayed is taken out of
 * there, becomes one of this process's pending events by that, and only then is tried.
 */
export class LooseParking implements Parking {
  readonly #store: Parked;
  readonly #lookup: Lookup;
  readonly #on: LookupEvents;
  readonly #unstored = new Unstored();
  readonly #trying = new Map<Seq, Backlog>();
  #active = 0;
  /** Parked, which is not stored yet. */
  readonly #parking = new Set<Seq>();
  /** Of those that are stored. */
  #first: Seq | undefined;
  #waits = false;
  #swept: Seq = 0;

  constructor(store: Parked, on: LookupEvents) {
    this.#store = store;
    this.#on = on;
    this.#lookup = new Lookup(on);
    this.refresh();
  }

  get parked(): number {
    return this.#store.count();
  }

  get size(): number {
    const stored = this.#first === undefined ? 0 : this.#store.count() + this.#store.countWaiting();
    return stored + this.#trying.size + this.#parking.size;
  }

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  get first(): Seq | undefined {
    let first = this.#first;
    for (const seqs of [this.#trying.keys(), this.#parking]) {
      for (const seq of seqs) if (first === undefined || seq < first) first = seq;
    }
    return first;
  }

  get active(): number {
    return this.#active;
  }

  get trying(): Pending[] {
    return [...this.#trying.values()].map(({ delivery, seq, count, attempts }) =>
      delivery === undefined ? [seq, count, attempts] : pendingOf(delivery),
    );
  }

  get hasChanges(): boolean {
    return this.#unstored.changes.any;
  }

  /** Only while it was stored by a subscription with order: it is requested then, or need not wait any more. */
  has(seq: Seq): boolean {
    if (this.#store.rows(seq - 1, 1)[0]?.seq === seq) return true;
    return this.#waits && this.#keysThatWait().some((key) => this.#store.waiting(key, 0, 1)[0] === seq);
  }

  firstParked(seq: Seq): Seq | undefined {
    for (let after = 0; ; ) {
      const rows = this.#store.rows(after, pageSize);
      const found = rows.find((row) => row.request === '' && !this.#unstored.has(row.seq));
      if (found !== undefined) return found.seq <= seq ? found.seq : undefined;
      if (rows.length < pageSize) return undefined;
      after = rows.at(-1)?.seq ?? after;
    }
  }

  blocks(): boolean {
    return false;
  }

  wait(): void {
    // Nothing does.
  }

  park({ seq, attempts, error }: GivenUp): void {
    const row: ParkedRow = { seq, key: null, attempts, error, since: Date.now(), request: '' };
    this.#parking.add(seq);
    this.#unstored.changes.parked.set(seq, row);
  }

  parkAgain(backlog: Backlog, event: GivenUp): void {
    this.acknowledged(backlog);
    this.park(event);
  }

  acknowledged(backlog: Backlog): void {
    this.#active--;
    this.#trying.delete(backlog.seq);
  }

  take(): Delivery | 'gone' | undefined {
    const next = this.#lookup.take();
    if (next === undefined) return undefined;
    const { backlog, event } = next;
    if (event === undefined) {
      this.#trying.delete(backlog.seq);
      return 'gone';
    }
    this.#active++;
    backlog.delivery = newDelivery(event, backlog.count, undefined, backlog, backlog.attempts);
    return backlog.delivery;
  }

  refresh(): void {
    const waiting = this.#store.firstWaiting();
    this.#waits = waiting !== undefined;
    const firsts = [this.#store.rows(0, 1)[0]?.seq, waiting].filter((seq) => seq !== undefined);
    this.#first = firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  takeUp(pending: readonly Pending[]): void {
    for (const [seq, count, before] of pending) this.#lookup.add(this.#add(seq, count, before));
    if (pending.length > 0) this.#on.onMore();
  }

  carryOut(): CarriedOut {
    let [events, skipped] = [0, 0];
    const { changes } = this.#unstored;
    // What is carried out and not stored yet is still among them.
    for (const { seq, request, attempts } of this.#store.requested(2 * mostReplayed)) {
      if (this.#unstored.has(seq)) continue;
      if (request === 'skip') skipped++;
      else if (this.#trying.size < mostReplayed) this.#add(seq, attempts, attempts).state = 'parking';
      else continue;
      changes.parked.set(seq, null);
      events++;
    }
    for (const key of this.#keysThatWait()) {
      for (const seq of this.#store.waiting(key, 0, mostReplayed)) {
        if (this.#trying.size >= mostReplayed || this.#unstored.has(seq)) break;
        this.#add(seq, 0, 0).state = 'parking';
        changes.waiting.set(seq, { key, waits: false });
        events++;
      }
    }
    return { events, skipped };
  }

  someParked(limit: number): Seq[] {
    const rows = this.#store.rows(this.#swept, limit);
    this.#swept = rows.length < limit ? 0 : (rows.at(-1)?.seq ?? 0);
    return rows.filter(({ request }) => request === '').map(({ seq }) => seq);
  }

  forget(seqs: readonly Seq[]): number {
    const parked = seqs.filter((seq) => !this.#unstored.has(seq));
    for (const seq of parked) this.#unstored.changes.parked.set(seq, null);
    return parked.length;
  }

  begin(): ParkedChange {
    return this.#unstored.begin();
  }

  stored(): Seq[] {
    const stored = this.#unstored.stored();
    if (!stored.any) return [];
    for (const seq of [...stored.parked.keys(), ...stored.waiting.keys()]) {
      const backlog = this.#trying.get(seq);
      if (backlog?.state !== 'parking') continue;
      backlog.state = 'open';
      this.#lookup.add(backlog);
    }
    const parked = [...stored.parked].flatMap(([seq, row]) => (row !== null && this.#parking.delete(seq) ? seq : []));
    this.refresh();
    return parked;
  }

  failed(): void {
    this.#unstored.failed();
  }

  /** While this subscription had an order, events waited; now it has none. */
  #keysThatWait(): string[] {
    return this.#waits ? this.#store.waitingKeys(undefined, pageSize) : [];
  }

  #add(seq: Seq, count: number, before = 0): Backlog {
    const backlog = new Backlog(null, seq, false, before);
    backlog.state = 'open';
    backlog.count = count;
    this.#trying.set(seq, backlog);
    return backlog;
  }
}
