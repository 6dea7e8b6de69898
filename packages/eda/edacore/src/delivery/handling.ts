import {
  background,
  type CancelScope,
  type Context,
  type ContextKey,
  DeadlineExceededError,
  withCancel,
} from '@samovar/context';
import { handledEvent, replaying } from '@samovar/eda';
import type { LogEvent } from '../backend.ts';
import type { Member } from './member.ts';
import type { Delivery } from './unacked.ts';

/** One run of a handler, and the context it gets: most handlers never ask for its signal, so that is made on demand. */
export class Handling implements Context {
  readonly delivery: Delivery;
  readonly member: Member;
  readonly event: LogEvent;
  /** When it began, and when its time is over, as `performance.now()` tells it. */
  readonly started: number;
  readonly expires: number;
  #scope: CancelScope | undefined;
  #over: 'settled' | 'expired' | undefined;

  constructor(delivery: Delivery, member: Member, event: LogEvent, started: number, timeout: number) {
    this.delivery = delivery;
    this.member = member;
    this.event = event;
    this.started = started;
    this.expires = started + timeout;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Whether its time is over, also if nobody has noticed yet. */
  get isExpired(): boolean {
    return performance.now() >= this.expires;
  }

  get signal(): AbortSignal {
    if (this.#scope === undefined) {
      this.#scope = withCancel(background);
      if (this.#over !== undefined || this.isExpired) this.#cancel();
    }
    return this.#scope.ctx.signal;
  }

  get deadline(): Date {
    return new Date(Date.now() + this.expires - performance.now());
  }

  value<T>(key: ContextKey<T>): T {
    const asked = key as ContextKey<unknown>;
    if (asked === handledEvent) return this.event as T;
    return asked === replaying ? ((this.delivery.before > 0) as T) : key.defaultValue;
  }

  /** Ends the context. Only the first call counts. */
  end(how: 'settled' | 'expired'): void {
    if (this.#over !== undefined) return;
    this.#over = how;
    if (this.#scope !== undefined) this.#cancel();
  }

  #cancel(): void {
    this.#scope?.cancel(this.#over !== 'settled' ? new DeadlineExceededError() : undefined);
  }
}
