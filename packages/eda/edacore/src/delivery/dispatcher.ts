import type { Event, EventId } from '@samovar/eda';
import type { Backend, Feed, LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Offset, Parked } from '../stored.ts';
import { errorText } from './errortext.ts';
import { type Failure, Handlers } from './handlers.ts';
import type { Handling } from './handling.ts';
import { keyOf, Lanes } from './keys.ts';
import { LastAcked, lastResolved } from './lastacked.ts';
import type { Members } from './members.ts';
import type { Terms } from './options.ts';
import { Parking } from './parking.ts';
import { Requests } from './requests.ts';
import { retryDelay } from './retry.ts';
import { type Delivery, newDelivery, Unacked } from './unacked.ts';

/** Events handed out and neither acknowledged nor parked; beyond that, delivery waits for the slowest. */
const window = 1000;
/** Of these, how many may be of what was parked, or waited behind it. */
const backlogWindow = 500;
/** Milliseconds of delivering until everybody else gets a turn. */
const turn = 4;

/** What a dispatcher asks and tells the group it works for. */
export interface Supervisor {
  /** Whether this process is still the one to deliver. Asked before each turn. */
  isActive(): boolean;
  /** Whether another handler may start now, `inFlight` running. Whoever says no calls `resume` later. */
  mayStart(inFlight: number): boolean;
  /** There is something to store: `count` events were acknowledged or wait, or a part without matching events passed. */
  onProgress(count: number): void;
  /** There is something to store at once. */
  onParked(): void;
  /** Reading the log failed; delivery goes on with `resume`. */
  onError(error: unknown): void;
}

/** What a dispatcher works on. */
export interface Work {
  readonly backend: Backend;
  readonly terms: Terms;
  readonly members: Members;
  readonly offset: Offset;
  readonly parked: Parked;
}

/** Hands a subscription's events to its members from a given offset on, and keeps the offset. */
export class Dispatcher {
  readonly parking: Parking;
  readonly requests: Requests;
  readonly #terms: Terms;
  readonly #members: Members;
  readonly #supervisor: Supervisor;
  readonly #unacked: Unacked;
  readonly #lanes = new Lanes();
  readonly #feed: Feed;
  readonly #handlers: Handlers;
  readonly #lastAcked: LastAcked;
  /** The last event handed out, or passed by. */
  #high: Seq;
  readonly #askForKey: (event: Event) => void;
  #due: Delivery[] = [];
  #redelivered = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #turnEnds = 0;
  #stopped = false;

  private constructor(work: Work, supervisor: Supervisor, pending: readonly LogEvent[], last: EventId | null) {
    const { backend, terms, members, offset, parked } = work;
    this.#terms = terms;
    this.#members = members;
    this.#supervisor = supervisor;
    this.#high = offset.high;
    const tried = new Map(offset.pending);
    const at = (seqs: readonly Seq[]) => backend.at(seqs);
    const onError = (error: unknown) => supervisor.onError(error);
    this.parking = new Parking(parked, tried, { at, onMore: () => this.resume(), onError });
    this.requests = new Requests(this.parking, at, { onChanged: (skipped) => this.#changed(skipped), onError });
    this.#lastAcked = new LastAcked(work, () => supervisor.onProgress(1));
    this.#unacked = new Unacked(offset.acked, last);
    this.#feed = backend.feed(terms.selector, offset.high, {
      onMore: () => this.resume(),
      onPassed: (more) => {
        if (more) this.resume();
        supervisor.onProgress(0);
      },
      onError,
    });
    this.#handlers = new Handlers(terms.timeout, {
      onSettled: (handling, failure) => this.#settled(handling, failure),
      onRoom: (soon) => this.#goOn(soon),
    });
    for (const event of pending) {
      if (this.parking.has(event.seq)) continue;
      const delivery = this.#admit(event, tried.get(event.seq) ?? 0, this.#keyOf(event));
      if (delivery !== 'none') this.#due.push(delivery);
    }
    this.#askForKey = (event) => terms.keyBy && keyOf(terms.keyBy, event);
    this.requests.keepLooking();
    this.resume();
  }

  /** Begins to deliver. */
  static async begin(work: Work, supervisor: Supervisor): Promise<Dispatcher> {
    const pending = await work.backend.at(work.offset.pending.map(([seq]) => seq));
    return new Dispatcher(work, supervisor, pending, await lastResolved(work));
  }

  get inFlight(): number {
    return this.#handlers.inFlight;
  }

  get redelivered(): number {
    return this.#redelivered;
  }

  /** How many matching events are not acknowledged. */
  get lag(): number {
    const taken = this.#unacked.acked + this.#unacked.size + this.parking.size;
    return this.#unacked.size + this.parking.size + this.#feed.behind(taken);
  }

  /** Whether everything waits for a parked event. */
  get isBlocked(): boolean {
    return this.#terms.serial && this.parking.parked > 0;
  }

  /** Every matching event up to here is acknowledged. */
  get low(): Seq {
    const first = Math.min(this.#unacked.first?.event.seq ?? this.#feed.next, this.#feed.next);
    return Math.min(first, this.parking.first ?? first) - 1;
  }

  get offset(): Offset {
    const high = this.#unacked.size === 0 ? Math.max(this.#high, this.#feed.next - 1) : this.#high;
    const tried = [...this.#unacked, ...this.parking.trying];
    const pending = tried.map(({ event, count }) => [event.seq, count] as const).sort(([a], [b]) => a - b);
    return {
      high,
      pending,
      acked: this.#unacked.acked,
      last: this.#lastAcked.of(this.#unacked.lastResolved, this.parking.first),
    };
  }

  /** Goes on delivering, soon. */
  resume(): void {
    if (this.#scheduled !== undefined || this.#stopped) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#turnEnds = performance.now() + turn;
      if (this.#supervisor.isActive()) this.#deliver();
    });
  }

  /** Looks for events behind the last one seen, also ones nobody was woken for. */
  lookAgain(): void {
    this.#feed.lookAgain();
  }

  /** Hands out nothing new. Handlers that are running may finish and are acknowledged. */
  stop(): void {
    this.#stopped = true;
    this.#feed.close();
    clearImmediate(this.#scheduled);
    this.requests.stop();
    this.#handlers.stop();
    for (const { retry } of this.#unacked) clearTimeout(retry);
    for (const { retry } of this.parking.trying) clearTimeout(retry);
  }

  #goOn(soon: boolean): void {
    if (this.#scheduled !== undefined) return;
    if (!soon && performance.now() < this.#turnEnds) this.#deliver();
    else this.resume();
  }

  #deliver(): void {
    let steps = 0;
    while (!this.#stopped && this.inFlight < this.#terms.concurrency && this.#members.any) {
      if (!this.#supervisor.mayStart(this.inFlight)) return;
      const delivery = this.#next();
      if (delivery === undefined) return;
      if (delivery !== 'none') this.#start(delivery);
      if (++steps % 8 !== 0 || performance.now() <= this.#turnEnds) continue;
      this.resume();
      return;
    }
  }

  /** What to start now; 'none' if that was not to be started, but what comes next may be. */
  #next(): Delivery | 'none' | undefined {
    const due = this.#due.shift();
    if (due !== undefined) return due;
    const { active } = this.parking;
    if (this.#unacked.size + active >= window) return undefined;
    const waiting = active < backlogWindow ? this.parking.take() : undefined;
    if (waiting === 'gone') {
      this.#supervisor.onProgress(1);
      return 'none';
    }
    if (waiting !== undefined) return waiting;
    if (this.#terms.serial && (this.#unacked.size > 0 || !this.parking.isEmpty)) return undefined;
    const event = this.#feed.take();
    if (event === undefined) return undefined;
    this.#high = event.seq;
    const key = this.#keyOf(event);
    if (key === undefined || !this.parking.blocks(key)) return this.#admit(event, 0, key);
    this.parking.wait(key, event.seq);
    this.#unacked.pass(event);
    this.#supervisor.onProgress(1);
    return 'none';
  }

  /** Puts the event into the window; 'none' if others of its key come first. */
  #admit(event: LogEvent, count: number, key: string | undefined): Delivery | 'none' {
    const delivery = this.#unacked.add(newDelivery(event, count, key));
    return key === undefined || this.#lanes.join(key, delivery) ? delivery : 'none';
  }

  /** undefined if there are no keys, or none can be told now, which is said when the event is handed out. */
  #keyOf(event: LogEvent): string | undefined {
    const { keyBy } = this.#terms;
    if (keyBy === undefined) return undefined;
    try {
      return keyOf(keyBy, event);
    } catch {
      return undefined;
    }
  }

  #start(delivery: Delivery): void {
    if (++delivery.count > 1) this.#redelivered++;
    const member = this.#members.next(this.#terms.concurrency);
    this.#handlers.start(delivery, member, this.#isKeyUnknown(delivery) ? this.#askForKey : undefined);
  }

  #isKeyUnknown({ key, backlog }: Delivery): boolean {
    return this.#terms.keyBy !== undefined && key === undefined && (backlog?.key ?? null) === null;
  }

  #settled({ delivery, member, event }: Handling, failure: Failure | undefined): void {
    if (failure === undefined) {
      this.#acknowledge(delivery);
      this.#supervisor.onProgress(1);
      return;
    }
    const { stream, type, id } = event;
    const what = { subscription: this.#terms.name, stream, type, event: id, attempt: delivery.count };
    const attempts = delivery.count - delivery.before;
    if (attempts >= this.#terms.maxDeliver) {
      member.logger?.warn('an event handler failed; the event is parked', { ...what, err: failure.error });
      this.#park(delivery, errorText(failure.error));
      return;
    }
    const delay = retryDelay(attempts);
    const fields = { ...what, retryInMs: delay, err: failure.error };
    member.logger?.warn('an event handler failed; the event will come again', fields);
    if (this.#stopped) return;
    delivery.retry = setTimeout(() => {
      delivery.retry = undefined;
      this.#due.push(delivery);
      this.resume();
    }, delay);
  }

  #acknowledge(delivery: Delivery): void {
    const { key, backlog } = delivery;
    if (backlog !== undefined) {
      this.#unacked.acknowledgeAnother();
      this.parking.acknowledged(backlog);
      return;
    }
    this.#unacked.acknowledge(delivery);
    const next = key === undefined ? undefined : this.#lanes.leave(key, delivery);
    if (next !== undefined) this.#due.push(next);
  }

  /** Some events are not parked any more. */
  #changed(skipped: number): void {
    for (let n = 0; n < skipped; n++) this.#unacked.acknowledgeAnother();
    this.#supervisor.onParked();
    this.resume();
  }

  #park(delivery: Delivery, error: string): void {
    const { key, backlog, event, count } = delivery;
    const givenUp = { seq: event.seq, attempts: count, error };
    if (backlog !== undefined) this.parking.parkAgain(backlog, givenUp);
    else {
      const behind = key === undefined ? [] : this.#lanes.clear(key, delivery);
      for (const aside of [delivery, ...behind]) this.#unacked.setAside(aside);
      this.parking.park(givenUp, key, behind);
    }
    this.#supervisor.onParked();
    this.requests.keepLooking();
  }
}
