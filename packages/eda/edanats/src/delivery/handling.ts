import {
  background,
  type CancelScope,
  type Context,
  type ContextKey,
  DeadlineExceededError,
  withCancel,
} from '@samovar/context';
import { handledEvent } from '@samovar/eda';
import type { Member } from '@samovar/edacore';
import type { NatsEvent } from '../event.ts';
import type { Delivery } from './held.ts';

/** One run of a handler, and the context it gets: most handlers never ask for its signal, so that is made on demand. */
export class Handling implements Context {
  readonly delivery: Delivery;
  readonly member: Member;
  readonly event: NatsEvent;
  /** When its time is over, as `performance.now()` tells it. */
  readonly expires: number;
  #scope: CancelScope | undefined;
  #over: 'settled' | 'expired' | undefined;

  constructor(delivery: Delivery, member: Member, timeout: number) {
    this.delivery = delivery;
    this.member = member;
    this.event = delivery.event.delivered(delivery.count);
    this.expires = performance.now() + timeout;
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
    return (key as ContextKey<unknown>) === handledEvent ? (this.event as T) : key.defaultValue;
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
