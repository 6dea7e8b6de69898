import { DeadlineExceededError } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { Handling } from './handling.ts';
import type { Member } from './member.ts';
import type { Delivery } from './unacked.ts';

/** What a handler failed with. */
export interface Failure {
  readonly error: unknown;
}

/** What is told of handlers. */
export interface HandlersEvents {
  /** One succeeded, failed, or was given up as its time is over. */
  onSettled(handling: Handling, failure: Failure | undefined): void;
  /** There is room for others now: said when that was not within `start`. */
  onRoom(soon: boolean): void;
}

/** The handlers that are running, each within its time. */
export class Handlers {
  readonly #timeout: number;
  readonly #events: HandlersEvents;
  /** In the order of their starts, which is that of their ends of time, as all have the same. */
  readonly #running = new Set<Handling>();
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `timeout` in milliseconds. */
  constructor(timeout: number, events: HandlersEvents) {
    this.#timeout = timeout;
    this.#events = events;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** `prepare` runs first, and fails the handler if it throws. */
  start(delivery: Delivery, member: Member, prepare: ((event: Event) => void) | undefined): void {
    const event = delivery.event.delivered(delivery.count);
    const handling = new Handling(delivery, member, event, performance.now(), this.#timeout);
    this.#inFlight++;
    member.inFlight++;
    let result: unknown;
    let failure: Failure | undefined;
    try {
      prepare?.(event);
      result = member.handle(handling, event);
    } catch (error) {
      failure = { error };
    }
    if (failure === undefined && isThenable(result)) this.#await(handling, result);
    else this.#settle(handling, failure);
  }

  /** Nothing is started any more. */
  stop(): void {
    this.#stopped = true;
    this.#clearIdleTimer();
  }

  #await(handling: Handling, result: PromiseLike<unknown>): void {
    this.#running.add(handling);
    this.#timer ??= setTimeout(() => this.#expire(), this.#timeout);
    result.then(
      () => this.#settleLater(handling, undefined),
      (error: unknown) => this.#settleLater(handling, { error }),
    );
  }

  #settleLater(handling: Handling, failure: Failure | undefined): void {
    if (handling.isOver) return;
    if (handling.isExpired) this.#settle(handling, { error: new DeadlineExceededError() }, 'expired');
    else this.#settle(handling, failure);
    this.#events.onRoom(false);
  }

  #settle(handling: Handling, failure: Failure | undefined, how: 'settled' | 'expired' = 'settled'): void {
    handling.end(how);
    this.#running.delete(handling);
    this.#inFlight--;
    this.#events.onSettled(handling, failure);
    if (this.#stopped) this.#clearIdleTimer();
    handling.member.settled();
  }

  /** Gives up on the handlers whose time is over, and waits for the next one. */
  #expire(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const handling of this.#running) {
      if (handling.expires > now) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(handling.expires - now));
        break;
      }
      this.#settle(handling, { error: new DeadlineExceededError() }, 'expired');
    }
    this.#events.onRoom(true);
  }

  #clearIdleTimer(): void {
    if (this.#running.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
