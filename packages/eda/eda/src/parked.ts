import type { Context } from '@samovar/context';
import type { Event } from './event.ts';
import type { EventId } from './eventid.ts';

/** An event that a subscription has given up until somebody has looked. */
export interface ParkedEvent {
  readonly event: Event;
  /** As `keyBy` gave it; '' where events have no keys. */
  readonly key: string;
  /** In all, those of earlier replays among them. */
  readonly attempts: number;
  /** The message of what the last attempt failed with, on one line of at most 500 characters: for operators. */
  readonly error: string;
  /** When it was parked. */
  readonly since: Date;
  /** The events of its key that wait behind it, in log order; none where everything waits. */
  readonly waiting: readonly EventId[];
}

/** What a replay delivers, or would. */
export interface ReplayReport {
  /** The parked events, and those that wait behind them. */
  readonly events: number;
  /** The times, as `time` tells, of the earliest and the latest of them; null: there are none. */
  readonly from: Date | null;
  readonly to: Date | null;
}

export interface ReplayOptions {
  /** Say what would be delivered, and deliver nothing. Default: false. */
  readonly dryRun?: boolean;
  /** Refuse to deliver more events than this. Default: 1,000. */
  readonly limit?: number;
}

/**
 * The parked events of a durable subscription. Replays and skips are stored, and carried out by whichever process
 * delivers the subscription, at once or when one does again.
 *
 * @throws {ClosedError} all of them, after the connection was closed. @throws {LogUnavailableError}
 * @throws {CanceledError} @throws {DeadlineExceededError} if the context is done.
 */
export abstract class ParkedEvents {
  /** In log order. */
  abstract list(ctx: Context): AsyncIterable<ParkedEvent>;
  abstract count(ctx: Context): Promise<number>;
  /** When the one that has waited longest was parked. */
  abstract oldest(ctx: Context): Promise<Date | null>;
  /**
   * Has parked events handled again, each with all its attempts, and then what waits behind it, in the order of its key.
   * Handlers of those that were parked see `ctx.value(replaying)`, and `deliveries` goes on counting. One that fails
   * again is parked again. Resolves when the request is stored; from then on the event is not parked any more.
   *
   * @throws {NotParkedError} if an event named is not parked; nothing is replayed then.
   * @throws {ReplayTooLargeError} if there are more events than `limit`; nothing is replayed then.
   */
  abstract replay(
    ctx: Context,
    which: EventId | readonly EventId[] | 'all',
    options?: ReplayOptions,
  ): Promise<ReplayReport>;
  /**
   * Gives the event up for good, as if it had been handled; what waits behind it goes on. Resolves when that is stored.
   *
   * @throws {NotParkedError}
   */
  abstract skip(ctx: Context, id: EventId): Promise<void>;
}
