import type { Context } from '@samovar/context';
import type { EventType } from '@samovar/message';
import type { Event } from './event.ts';
import type { EventId } from './eventid.ts';
import type { SubscriptionOptions } from './subscription.ts';

/** A consumer's subscription is durable and has the consumer's name; it starts anew by an operator only. */
export type ConsumerOptions = Omit<SubscriptionOptions, 'name' | 'durable' | 'reset'>;

/**
 * Handles the events of a durable subscription for as long as the server runs, such as a projection. Bound in
 * module.ts, any number of them. Each event comes at least once: a consumer that counts keeps the last id it has seen
 * beside what it counts, in one transaction.
 */
export abstract class Consumer {
  /**
   * Unique in the server, which refuses to start otherwise; the subscription's name. What it has handled is remembered
   * under it for good.
   */
  abstract readonly name: string;
  /** The streams it follows: `stickers.*`. */
  abstract readonly selector: string;
  /** The events it handles; others on its streams are acknowledged unseen. 'all': none is. */
  // biome-ignore lint/suspicious/noExplicitAny: a list of messages, each with a struct of its own.
  abstract readonly events: readonly EventType<any>[] | 'all';
  abstract readonly options: ConsumerOptions;
  /**
   * `ctx` ends when the handler's time is over, and when a stopping server's drain time is.
   *
   * @throws whatever keeps it from being handled: the event comes again, after a growing pause, and is parked when it has
   * failed too often, as `options` say.
   */
  abstract handle(ctx: Context, event: Event): void | Promise<void>;
}

/** The subscriptions of the bound {@link Consumer}s. */
export abstract class Consumers {
  /**
   * Resolves when the consumer has handled every event of its selector up to and including `id` (default: the last one
   * of the log as it is now): then a projection that it feeds can be read. Waits also for it to be started.
   *
   * @throws {ConsumerNotFoundError} if no consumer has that name. @throws {ParkedError} as a subscription's `caughtUp`.
   * @throws {ClosedError} if the server stops before.
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract caughtUp(ctx: Context, name: string, id?: EventId): Promise<void>;
}
