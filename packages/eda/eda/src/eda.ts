import type { Context } from '@samovar/context';
import type { Event, NewEvent } from './event.ts';
import type { EventId } from './eventid.ts';
import type { ParkedEvents } from './parked.ts';
import type { Handler, Subscription, SubscriptionInfo, SubscriptionOptions } from './subscription.ts';

export { Consumer, type ConsumerOptions, Consumers } from './consumer.ts';
export { Data, type DataType } from './data.ts';
export * from './errors.ts';
export type { Event, NewEvent } from './event.ts';
export { type EventId, parseEventId } from './eventid.ts';
export { type EventJson, eventToJson } from './json.ts';
export { dataOf, handledEvent, newEvent, replaying } from './messages.ts';
export { checkCommitBytes, checkNewEvent, checkText, defaultMaxCommitBytes, encodeMeta } from './newevent.ts';
export { type ParkedEvent, ParkedEvents, type ReplayOptions, type ReplayReport } from './parked.ts';
export { checkStream, stream } from './stream.ts';
export type {
  Handler,
  Subscription,
  SubscriptionInfo,
  SubscriptionOptions,
  SubscriptionStatus,
} from './subscription.ts';

/** Where a connection reports what no caller can be told: the contract's loggers and the console fit. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** How to connect to a log. */
export interface ConnectOptions {
  /** The name that the events published here carry: up to 255 characters, no control characters. Default: ''. */
  readonly client?: string;
  /**
   * Told of handlers that fail, at warn, and of options that replace those stored with a durable subscription, at info.
   * null: silent. Default: `console.error` for warnings and errors.
   */
  readonly logger?: Logger | null;
  /**
   * Bytes of payload that a commit published here may hold: a whole number from 1,024 to 67,108,864 (64 MiB). Default:
   * 8,388,608 (8 MiB).
   */
  readonly maxCommitBytes?: number;
  /**
   * Of logs on a server: which of the logs there, 1 to 64 letters, digits, `_` and `-`. Others take it and have no use for
   * it. Default: 'samovar'.
   */
  readonly cluster?: string;
  /**
   * Of logs on a cluster of servers, when the log is made: how many servers keep it. If one that is there has another
   * number, the logger is told, and nothing changed. Others refuse more than 1. Default: 1.
   */
  readonly replicas?: number;
  /**
   * Of logs on a server, when the log is made: bytes that it may take there, of each replica: a whole number from 1,024
   * up. A full log refuses what is new. If one that is there has another limit, the logger is told, and nothing changed.
   * Others refuse it. Default: as the server allows.
   */
  readonly maxLogBytes?: number;
  /** Whether the log is made if there is none; if not, that is a {@link LogNotFoundError}. Default: true. */
  readonly create?: boolean;
}

export interface PublishOptions {
  /** The stream's last event as the publisher knows it; null: the stream must be empty. Default: any. */
  readonly expectedHead?: EventId | null;
  /**
   * Makes publishing again with the same key (and stream) within two minutes store nothing: 1 to 255 characters. If the
   * stream was erased in between, that is refused, as what was stored is gone.
   */
  readonly key?: string;
}

export interface ReadOptions {
  /** Only events behind this one (before it, when reading backwards), which may be of another stream. Default: all. */
  readonly after?: EventId;
  /** At most this many: an integer from 0 up. Default: all. */
  readonly limit?: number;
  /** Newest first. Not with `watch`. Default: false. */
  readonly backwards?: boolean;
  /** At the end, wait for new events instead of ending. Default: false. */
  readonly watch?: boolean;
}

/** Events in order. It may be iterated once. Leaving a loop early frees what it holds. */
export interface EventStream extends AsyncIterable<Event> {
  /** What exists now: ends at the end of the stream, or where it would block. Iterating the stream then goes on from there. */
  history(): AsyncIterable<Event>;
}

export interface StreamInfo {
  readonly stream: string;
  /** Its last event. */
  readonly head: EventId;
  /** How many it holds. */
  readonly events: number;
}

/**
 * A connection to one event log. All methods may be called concurrently.
 *
 * A selector is a stream name or a pattern of the same tokens, in which `*` stands for one token and a last `>` for one
 * or more. Events of a pattern come interleaved in log order.
 *
 * Every method throws {@link ClosedError} after `close`, and {@link CanceledError} or {@link DeadlineExceededError} if
 * its context is done first. A publication that ends so may still be stored.
 */
export abstract class Conn implements AsyncDisposable {
  /**
   * Appends one event. When it resolves, the event is as safe as the backend makes it and visible to every reader.
   * The payload is encoded before `publish` returns.
   *
   * @throws {InvalidStreamError} @throws {InvalidArgumentError} naming the field. @throws {DataEncodingError}
   * @throws {HeadConflictError} if `expectedHead` is not the head; nothing is written, and the key stays unused.
   * @throws {DuplicateErasedError} if `key` was used within two minutes for events that are erased; nothing is written.
   * @throws {ForeignEventIdError} if `expectedHead` or `cause` is of another log.
   * @throws {LogFullError} @throws {LogUnavailableError}
   */
  abstract publish(ctx: Context, stream: string, event: NewEvent, options?: PublishOptions): Promise<EventId>;

  /**
   * Appends up to 2,048 events as one commit: all or none, next to each other, in this order. No events: no commit, and
   * an empty result.
   *
   * @throws as {@link publish} does.
   */
  abstract publishAll(
    ctx: Context,
    stream: string,
    events: readonly NewEvent[],
    options?: PublishOptions,
  ): Promise<EventId[]>;

  /**
   * Reads what a selector matches. Nothing is read ahead of the consumer beyond a bounded page.
   *
   * @throws {InvalidSelectorError} @throws {InvalidArgumentError} @throws {ForeignEventIdError} all at once, not when iterated.
   */
  abstract read(ctx: Context, selector: string, options?: ReadOptions): EventStream;

  /** The stream's last event, or null if it has none. @throws {InvalidStreamError} */
  abstract head(ctx: Context, stream: string): Promise<EventId | null>;

  /** The streams that have events, in the order of their names. Default: all. @throws {InvalidSelectorError} */
  abstract streams(ctx: Context, selector?: string): AsyncIterable<StreamInfo>;

  /**
   * Hands every matching event to `handle`, at least once, starting handlers in log order. An event whose handler fails
   * or exceeds its time comes again, after a growing pause, until it is acknowledged or, after `maxDeliver` attempts,
   * parked. While 1,000 events are handed out and neither, failing ones among them, no other is.
   *
   * While running, acknowledgements of a durable subscription are stored in groups of at most 100 ms or 1,000 events:
   * what a kill -9 repeats. A loss of power may repeat more: what was stored since the log last waited for the disk.
   *
   * Several processes with one durable name share its events without `serial` and `keyBy`: one starts as many handlers
   * as it may, and what it has no room for goes to the next that has; the 1,000 are of each. What one that is gone was
   * handed comes again within seconds in another. With `serial` or `keyBy`, one is active, the others stand by, and one
   * of those takes over within seconds when it is gone. One that was paused for longer may still be inside its handlers
   * then; what these acknowledge does not count. The options of the one that took part or took over last are stored, in
   * the place of those stored before.
   *
   * @throws {InvalidSelectorError}
   * @throws {InvalidArgumentError} naming the option, also where the name's members, or its stored offset, have another.
   */
  abstract subscribe(selector: string, handle: Handler, options?: SubscriptionOptions): Promise<Subscription>;

  /**
   * The durable subscriptions that the log keeps, in the order of their names, whether anybody has them open or not; those
   * stored when iteration begins.
   *
   * @throws {LogUnavailableError}
   */
  abstract subscriptions(ctx: Context): AsyncIterable<SubscriptionInfo>;

  /**
   * The parked events of the durable subscription `name`; of one that is not stored there are none. Asking cannot fail,
   * only what is asked of the result.
   */
  abstract parked(name: string): ParkedEvents;

  /**
   * Forgets every event of the stream for good: its head is null again, readers and subscriptions pass over what was
   * there, and its ids are never given out again. Publishing to it starts it anew. Does nothing if it has no events.
   * All of them go at once, a crash or not; handlers that are running keep the event they have. Idempotency keys stay
   * used for their two minutes. Resolves when the room is free for other events; what a crash or `close` leaves of that
   * work is done later. If the context is done before, the stream may be erased.
   *
   * @throws {InvalidStreamError} @throws {LogFullError} @throws {LogUnavailableError}
   */
  abstract erase(ctx: Context, stream: string): Promise<void>;

  /**
   * Closes every subscription as {@link Subscription.close} does, ends reads with a {@link ClosedError}, and frees the
   * log. Until their handlers have settled, those may still use the connection, under their own context. May be called
   * again.
   */
  abstract close(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;
}
