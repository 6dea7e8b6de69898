import { DeadlineExceededError } from '@samovar/context';
import { type Members, retryDelay, type Terms } from '@samovar/edacore';
import { Handling } from './handling.ts';
import type { Delivery } from './held.ts';

/** Events handed out and not acknowledged; beyond that, delivery waits for the slowest. */
const window = 1000;
/** Milliseconds of delivering until everybody else gets a turn. */
const turn = 4;

/** Runs the handlers of a subscription's members. */
export class Dispatcher {
  readonly #terms: Terms;
  readonly #members: Members;
  readonly #isErased: (delivery: Delivery) => boolean;
  #onAcked: (delivery: Delivery) => void = () => {};
  #onRoom: () => void = () => {};
  #ready: Delivery[] = [];
  #index = 0;
  #due: Delivery[] = [];
  /** Events that were handed out and are not acknowledged. */
  #open = 0;
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Running handlers in the order of their starts, which is that of their ends of time, as all have the same. */
  readonly #handlings = new Set<Handling>();
  #inFlight = 0;
  #redelivered = 0;
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #turnEnds = 0;
  #stopped = false;

  /** `isErased` says which events are to be passed over. */
  constructor(terms: Terms, members: Members, isErased: (delivery: Delivery) => boolean) {
    this.#terms = terms;
    this.#members = members;
    this.#isErased = isErased;
  }

  /** `onAcked` is told of each event whose handler has succeeded; `onRoom` when there may be room for more. */
  serve(onAcked: (delivery: Delivery) => void, onRoom: () => void): void {
    this.#onAcked = onAcked;
    this.#onRoom = onRoom;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get redelivered(): number {
    return this.#redelivered;
  }

  /** Events that wait for their first handler here. */
  get backlog(): number {
    return this.#ready.length - this.#index;
  }

  /** Hands these out behind all that were added before. */
  add(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) if (!delivery.isAcked) this.#ready.push(delivery);
    this.resume();
  }

  /** Goes on delivering, soon. */
  resume(): void {
    if (this.#scheduled !== undefined || this.#stopped) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#turnEnds = performance.now() + turn;
      this.#deliver();
    });
  }

  /** Hands out nothing new. Handlers that are running may finish and are acknowledged. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#scheduled);
    this.#clearIdleTimer();
    for (const retry of this.#retries) clearTimeout(retry);
  }

  #deliver(): void {
    let started = 0;
    while (!this.#stopped && this.#inFlight < this.#terms.concurrency && this.#members.any) {
      const delivery = this.#due.shift() ?? this.#fresh();
      if (delivery === undefined) break;
      if (this.#isErased(delivery)) this.#acknowledge(delivery);
      else this.#start(delivery);
      if (++started % 8 !== 0 || performance.now() <= this.#turnEnds) continue;
      this.resume();
      break;
    }
    if (!this.#stopped) this.#onRoom();
  }

  #fresh(): Delivery | undefined {
    if (this.#open >= (this.#terms.serial ? 1 : window)) return undefined;
    const delivery = this.#ready[this.#index];
    if (delivery === undefined) return undefined;
    if (++this.#index >= 1000 || this.#index === this.#ready.length) {
      this.#ready = this.#ready.slice(this.#index);
      this.#index = 0;
    }
    this.#open++;
    return delivery;
  }

  #start(delivery: Delivery): void {
    if (++delivery.count > 1) this.#redelivered++;
    const member = this.#members.next(this.#terms.concurrency);
    const handling = new Handling(delivery, member, this.#terms.timeout);
    this.#inFlight++;
    member.inFlight++;
    let result: unknown;
    let failure: Failure | undefined;
    try {
      result = member.handle(handling, handling.event);
    } catch (error) {
      failure = { error };
    }
    if (failure === undefined && isThenable(result)) this.#await(handling, result);
    else this.#settle(handling, failure);
  }

  #await(handling: Handling, result: PromiseLike<unknown>): void {
    this.#handlings.add(handling);
    this.#timer ??= setTimeout(() => this.#expire(), this.#terms.timeout);
    result.then(
      () => this.#settleLater(handling, undefined),
      (error: unknown) => this.#settleLater(handling, { error }),
    );
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
    if (failure === undefined) this.#acknowledge(handling.delivery);
    else this.#retry(handling, failure.error);
    if (this.#stopped) this.#clearIdleTimer();
    handling.member.settled();
  }

  #acknowledge(delivery: Delivery): void {
    this.#open--;
    this.#onAcked(delivery);
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
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      this.#due.push(delivery);
      this.resume();
    }, delay);
    this.#retries.add(retry);
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
