import { DeadlineExceededError } from '@samovar/context';
import type { Backend, Offset } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import { Handling } from './handling.ts';
import type { Members } from './members.ts';
import type { Terms } from './options.ts';
import { retryDelay } from './retry.ts';
import { type Delivery, Unacked } from './unacked.ts';

/** Events handed out and not acknowledged; beyond that, delivery waits for the slowest. */
const window = 1000;
const pageSize = 500;
/** Milliseconds of delivering until everybody else gets a turn. */
const turn = 4;

/** What a dispatcher asks and tells the group it works for. */
export interface Supervisor {
  /** Whether this process is still the one to deliver. Asked before each turn. */
  isActive(): boolean;
  /** Whether another handler may start now, `inFlight` running. Whoever says no calls `resume` later. */
  mayStart(inFlight: number): boolean;
  /** An event was acknowledged, or a part without matching events passed. */
  onProgress(acknowledged: boolean): void;
  /** Reading the log failed; delivery goes on with `resume`. */
  onError(error: unknown): void;
}

/** Hands a subscription's events to its members from a given offset on, and keeps the offset. */
export class Dispatcher {
  readonly #backend: Backend;
  readonly #terms: Terms;
  readonly #members: Members;
  readonly #supervisor: Supervisor;
  readonly #unacked: Unacked;
  readonly #stopWaking: () => void;
  #cursor: Seq;
  #page: readonly StoredEvent[] = [];
  #index = 0;
  /** Whether there may be events behind the page. */
  #more = true;
  /** The last event handed out, or passed by. */
  #high: Seq;
  #due: Delivery[] = [];
  /** Running handlers in the order of their starts, which is that of their ends of time, as all have the same. */
  readonly #handlings = new Set<Handling>();
  #inFlight = 0;
  #redelivered = 0;
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #turnEnds = 0;
  #stopped = false;

  constructor(backend: Backend, terms: Terms, members: Members, supervisor: Supervisor, offset: Offset) {
    this.#backend = backend;
    this.#terms = terms;
    this.#members = members;
    this.#supervisor = supervisor;
    this.#cursor = offset.high;
    this.#high = offset.high;
    this.#unacked = new Unacked(offset.acked, offset.last);
    const counts = new Map(offset.pending);
    for (const event of backend.at([...counts.keys()])) {
      this.#due.push(this.#unacked.add(event, counts.get(event.seq) ?? 0));
    }
    this.#stopWaking = backend.wakes.add(terms.selector, () => {
      this.#more = true;
      this.resume();
    });
    this.resume();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get redelivered(): number {
    return this.#redelivered;
  }

  /** Every matching event up to here is acknowledged. */
  get low(): Seq {
    return Math.min(this.#unacked.first?.event.seq ?? Number.MAX_SAFE_INTEGER, this.#unstarted) - 1;
  }

  get offset(): Offset {
    const pending = [...this.#unacked].map(({ event, count }) => [event.seq, count] as const);
    const high = pending.length === 0 ? Math.max(this.#high, this.#unstarted - 1) : this.#high;
    return { high, pending, acked: this.#unacked.acked, last: this.#unacked.lastAcked };
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
    this.#more = true;
    this.resume();
  }

  /** Hands out nothing new. Handlers that are running may finish and are acknowledged. */
  stop(): void {
    this.#stopped = true;
    this.#stopWaking();
    clearImmediate(this.#scheduled);
    this.#clearIdleTimer();
    for (const { retry } of this.#unacked) clearTimeout(retry);
  }

  get #unstarted(): Seq {
    return this.#page[this.#index]?.seq ?? this.#cursor + 1;
  }

  #deliver(): void {
    let started = 0;
    while (!this.#stopped && this.#inFlight < this.#terms.concurrency && this.#members.any) {
      if (!this.#supervisor.mayStart(this.#inFlight)) return;
      const delivery = this.#due.shift() ?? this.#fresh();
      if (delivery === undefined) return;
      this.#start(delivery);
      if (++started % 8 !== 0 || performance.now() <= this.#turnEnds) continue;
      this.resume();
      return;
    }
  }

  #fresh(): Delivery | undefined {
    if (this.#unacked.size >= (this.#terms.serial ? 1 : window)) return undefined;
    if (this.#index === this.#page.length && !this.#fetch()) return undefined;
    const event = this.#page[this.#index++] as StoredEvent;
    this.#high = event.seq;
    return this.#unacked.add(event, 0);
  }

  /** Whether there are events at hand now. */
  #fetch(): boolean {
    if (!this.#more) return false;
    const request = { from: this.#cursor, to: Number.MAX_SAFE_INTEGER, limit: pageSize, backwards: false };
    try {
      const page = this.#backend.page(this.#terms.selector, request);
      this.#page = page.events;
      this.#index = 0;
      this.#cursor = page.cursor;
      this.#more = page.more;
    } catch (error) {
      this.#supervisor.onError(error);
      return false;
    }
    if (this.#page.length > 0) return true;
    if (this.#more) this.resume();
    this.#supervisor.onProgress(false);
    return false;
  }

  #start(delivery: Delivery): void {
    if (++delivery.count > 1) this.#redelivered++;
    const member = this.#members.next(this.#terms.concurrency);
    const event = delivery.event.delivered(delivery.count);
    const handling = new Handling(delivery, member, event, performance.now(), this.#terms.timeout);
    this.#inFlight++;
    member.inFlight++;
    let result: unknown;
    let failure: Failure | undefined;
    try {
      result = member.handle(handling, event);
    } catch (error) {
      failure = { error };
    }
    if (failure === undefined && isThenable(result)) this.#await(handling, result);
    else this.#settle(handling, failure);
  }

  #settleLater(handling: Handling, failure: Failure | undefined): void {
    if (handling.isOver) return;
    if (handling.isExpired) this.#settle(handling, { error: new DeadlineExceededError() }, 'expired');
    else this.#settle(handling, failure);
    if (this.#scheduled !== undefined) return;
    if (performance.now() < this.#turnEnds) this.#deliver();
    else this.resume();
  }

  #settle(handling: Handling, failure: Failure | undefined, how: 'settled' | 'expired' = 'settled'): void {
    handling.end(how);
    this.#handlings.delete(handling);
    this.#inFlight--;
    if (failure === undefined) this.#unacked.acknowledge(handling.delivery);
    else this.#retry(handling, failure.error);
    if (this.#stopped) this.#clearIdleTimer();
    handling.member.settled();
    if (failure === undefined) this.#supervisor.onProgress(true);
  }

  #retry({ delivery, member, event }: Handling, error: unknown): void {
    const delay = retryDelay(delivery.count);
    const { stream, type, id } = event;
    const what = { subscription: this.#terms.name, stream, type, event: id, attempt: delivery.count };
    member.logger?.warn('an event handler failed; the event will come again', {
      ...what,
      retryInMs: delay,
      err: error,
    });
    if (this.#stopped) return;
    delivery.retry = setTimeout(() => {
      delivery.retry = undefined;
      this.#due.push(delivery);
      this.resume();
    }, delay);
  }

  #await(handling: Handling, result: PromiseLike<unknown>): void {
    this.#handlings.add(handling);
    this.#timer ??= setTimeout(() => this.#expire(), this.#terms.timeout);
    result.then(
      () => this.#settleLater(handling, undefined),
      (error: unknown) => this.#settleLater(handling, { error }),
    );
  }

  /** Gives up on the handlers whose time is over, and waits for the next one. */
  #expire(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const handling of this.#handlings) {
      if (handling.expires > now) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(handling.expires - now));
        break;
      }
      this.#settle(handling, { error: new DeadlineExceededError() }, 'expired');
    }
    this.resume();
  }

  #clearIdleTimer(): void {
    if (this.#handlings.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

interface Failure {
  readonly error: unknown;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
