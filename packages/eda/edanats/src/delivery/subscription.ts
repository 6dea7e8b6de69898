import type { Context } from '@samovar/context';
import { ClosedError, type EventId, type Subscription, type SubscriptionStatus } from '@samovar/eda';
import type { Member } from '@samovar/edacore';
import type { Group } from './group.ts';

/** One member's view of its subscription. */
export class NatsSubscription implements Subscription {
  readonly name: string;
  readonly #group: Group;
  readonly #member: Member;
  readonly #onClosed: (subscription: NatsSubscription) => void;
  #closing: Promise<void> | undefined;

  constructor(group: Group, member: Member, onClosed: (subscription: NatsSubscription) => void) {
    this.name = group.terms.name;
    this.#group = group;
    this.#member = member;
    this.#onClosed = onClosed;
  }

  close(): Promise<void> {
    this.#closing ??= this.#ending(this.#group.leave(this.#member));
    return this.#closing;
  }

  unsubscribe(): Promise<void> {
    const dropped = this.#ending(this.#group.close(true));
    this.#closing ??= dropped;
    return dropped;
  }

  async caughtUp(ctx: Context, id?: EventId): Promise<void> {
    if (this.#isClosed) throw new ClosedError(`subscription ${this.name}`);
    await this.#group.caughtUp(ctx, this.#member, id);
  }

  status(): SubscriptionStatus {
    const status = this.#group.status();
    return this.#isClosed ? { ...status, state: 'closed' } : status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isClosed(): boolean {
    return this.#closing !== undefined || this.#group.closing !== undefined;
  }

  async #ending(ended: Promise<void>): Promise<void> {
    await ended;
    this.#onClosed(this);
  }
}
