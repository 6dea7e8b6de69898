import type { Event, EventId } from '@samovar/eda';
import type { LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Pending } from '../stored.ts';
import { errorText } from './errortext.ts';
import type { Front } from './front.ts';
import { type Failure, Handlers } from './handlers.ts';
import type { Handling } from './handling.ts';
import { keyOf, Lanes } from './keys.ts';
import { LooseParking } from './looseparking.ts';
import type { Members } from './members.ts';
import { isOrdered, type Terms } from './options.ts';
import { OrderedParking } from './orderedparking.ts';
import { Pace } from './pace.ts';
import type { Parking } from './parking.ts';
import { lastAtBegin, Position } from './position.ts';
import { Requests } from './requests.ts';
import { retryDelay, Timers } from './retry.ts';
import { type Delivery, newDelivery, type Unacked } from './unacked.ts';
import type { Supervisor, Work } from './work.ts';

/** Events handed out and neither acknowledged nor parked; beyond that, delivery waits for the slowest. */
const window = 1000;
/** Of these, how many may be of what was parked, or waited behind it. */
const backlogWindow = 500;
/** Milliseconds of delivering until everybody else gets a turn. */
const turn = 4;

/** Hands a subscription's events to its members from a given offset on, and keeps the offset, or this process's part of it. */
export class Dispatcher {
  readonly parking: Parking;
  readonly position: Position;
  readonly requests: Requests;
  readonly #terms: Terms;
  readonly #members: Members;
  readonly #supervisor: Supervisor;
  readonly #front: Front;
  readonly #unacked: Unacked;
  readonly #lanes = new Lanes();
  readonly #handlers: Handlers;
  readonly #pace: Pace;
  readonly #retries = new Timers();
  readonly #askForKey: (event: Event) => void;
  #due: Delivery[] = [];
  #redelivered = 0;
  /** Whether other processes have a part. */
  #isShared = false;
  #scheduled: NodeJS.Immediate | undefined;
  #turnEnds = 0;
  #stopped = false;

  private constructor(work: Work, supervisor: Supervisor, pending: readonly LogEvent[], last: EventId | null) {
    const { backend, terms, offset, parked } = work;
    this.#terms = terms;
    this.#members = work.members;
    this.#supervisor = supervisor;
    this.#pace = new Pace(window - terms.concurrency);
    const at = (seqs: readonly Seq[]) => backend.at(seqs);
    const onMore = () => this.resume();
    const onError = (error: unknown) => supervisor.onError(error);
    const lookup = { at, onMore, onError };
    this.parking = isOrdered(terms)
      ? new OrderedParking(parked, offset.pending, lookup)
      : new LooseParking(parked, lookup);
    this.position = new Position(work, this.parking, supervisor, last, onMore);
    this.#front = this.position.front;
    this.#unacked = this.position.unacked;
    const isMine = () => this.#front.isOpen;
    this.requests = new Requests(this.parking, { at, isMine, onError, onChanged: (count) => this.#changed(count) });
    this.#handlers = new Handlers(terms.timeout, {
      onSettled: (handling, failure) => this.#settled(handling, failure),
      onRoom: (soon) => this.#goOn(soon),
    });
    this.#askForKey = (event) => terms.keyBy && keyOf(terms.keyBy, event);
    this.#admitAll(pending, offset.pending);
    this.requests.keepLooking();
    this.resume();
  }

  /** Begins to deliver. */
  static async begin(work: Work, supervisor: Supervisor): Promise<Dispatcher> {
    const pending = await work.backend.at(work.offset.pending.map(([seq]) => seq));
    return new Dispatcher(work, supervisor, pending, await lastAtBegin(work, supervisor));
  }

  get inFlight(): number {
    return this.#handlers.inFlight;
  }

  get redelivered(): number {
    return this.#redelivered;
  }

  /** Whether everything waits for a parked event. */
  get isBlocked(): boolean {
    return this.#terms.serial && this.parking.parked > 0;
  }

  /** Whether there is room for what another process has yet to hand out. */
  get wants(): boolean {
    if (this.#front.isHere || this.#stopped || !this.#hasRoom) return false;
    const isIdle = this.inFlight < this.#terms.concurrency && this.#due.length === 0;
    return isIdle || this.#due.length < this.#pace.enough(this.#supervisor.processes) / 2;
  }

  /** Others may have parked something, or asked for something that is parked. */
  refresh(): void {
    this.parking.refresh();
    this.requests.keepLooking();
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

  /** Hands out nothing new. Handlers that are running may finish and are acknowledged. */
  stop(): void {
    this.#stopped = true;
    this.position.stop();
    clearImmediate(this.#scheduled);
    this.requests.stop();
    this.#handlers.stop();
    this.#retries.clear();
  }

  get #hasRoom(): boolean {
    return this.#unacked.size + this.parking.active < window;
  }

  #goOn(soon: boolean): void {
    if (this.#scheduled !== undefined) return;
    if (!soon && performance.now() < this.#turnEnds) this.#deliver();
    else this.resume();
  }

  #deliver(): void {
    this.#isShared = this.#supervisor.processes > 1;
    if (this.#startSome() && this.#isShared) this.#share();
  }

  /** Whether no other could be started. */
  #startSome(): boolean {
    let steps = 0;
    while (!this.#stopped && this.inFlight < this.#terms.concurrency && this.#members.any) {
      if (!this.#supervisor.mayStart(this.inFlight)) return false;
      const delivery = this.#next();
      if (delivery === undefined) return true;
      if (delivery !== 'none') this.#start(delivery);
      if (++steps % 8 !== 0 || performance.now() <= this.#turnEnds) continue;
      this.resume();
      return true;
    }
    return true;
  }

  /** Sees to it that other processes get what this one has no room for, or that this one gets what it has room for. */
  #share(): void {
    if (this.wants) this.#supervisor.onRoom();
    else if (this.#front.isOpen && this.#isFull()) this.#supervisor.onFull();
  }

  #isFull(): boolean {
    if (!this.#hasRoom) return true;
    const isBusy = this.inFlight >= this.#terms.concurrency;
    if ((!isBusy && performance.now() <= this.#turnEnds) || this.#pace.isTooFast) return false;
    return this.#stockUp(isBusy ? 0 : 1);
  }

  /** Takes what keeps handlers busy while others deliver, and `least` at least. Whether there was enough. */
  #stockUp(least: number): boolean {
    const enough = Math.max(least, this.#pace.enough(this.#supervisor.processes));
    while (this.#due.length < enough && this.#hasRoom) {
      const event = this.#front.take();
      if (event === undefined) return false;
      this.#due.push(this.#unacked.add(newDelivery(event, 0)));
    }
    return true;
  }

  /** What to start now; 'none' if that was not to be started, but what comes next may be. */
  #next(): Delivery | 'none' | undefined {
    const due = this.#due.shift();
    if (due !== undefined) return due;
    if (!this.#hasRoom) return undefined;
    const waiting = this.parking.active < backlogWindow ? this.parking.take() : undefined;
    if (waiting === 'gone') {
      this.#supervisor.onProgress(1);
      return 'none';
    }
    if (waiting !== undefined) return waiting;
    if (this.#terms.serial && (this.#unacked.size > 0 || !this.parking.isEmpty)) return undefined;
    const event = this.#front.take();
    if (event === undefined) return undefined;
    const key = this.#keyOf(event);
    if (key === undefined || !this.parking.blocks(key)) return this.#admit(event, 0, key);
    this.parking.wait(key, event.seq);
    this.#unacked.pass(event);
    this.#supervisor.onProgress(1);
    return 'none';
  }

  /** Has events tried that were handed out before, save those that are parked or wait. */
  #admitAll(events: readonly LogEvent[], pending: readonly Pending[]): void {
    const tried = new Map(pending.map((tries) => [tries[0], tries]));
    for (const event of events) {
      if (this.parking.has(event.seq)) continue;
      const [, count, before] = tried.get(event.seq) ?? [event.seq, 0];
      const delivery = this.#admit(event, count, this.#keyOf(event), before);
      if (delivery !== 'none') this.#due.push(delivery);
    }
  }

  /** Puts the event into the window; 'none' if others of its key come first. */
  #admit(event: LogEvent, count: number, key: string | undefined, before?: number): Delivery | 'none' {
    const delivery = this.#unacked.add(newDelivery(event, count, key, undefined, before));
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

  #settled({ delivery, member, event, started }: Handling, failure: Failure | undefined): void {
    if (this.#isShared) this.#pace.settled(performance.now() - started, this.inFlight + 1);
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
    this.#retries.add(delay, () => {
      this.#due.push(delivery);
      this.resume();
    });
  }

  #acknowledge(delivery: Delivery): void {
    const { key, backlog } = delivery;
    if (backlog !== undefined) {
      this.#unacked.acknowledgeOthers(1);
      this.parking.acknowledged(backlog);
      return;
    }
    this.#unacked.acknowledge(delivery);
    const next = key === undefined ? undefined : this.#lanes.leave(key, delivery);
    if (next !== undefined) this.#due.push(next);
  }

  /** Some events are not parked any more. */
  #changed(skipped: number): void {
    this.#unacked.acknowledgeOthers(skipped);
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
