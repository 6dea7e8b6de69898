import type { Context } from '@samovar/context';
import type { Event } from './event.ts';
import type { EventId } from './eventid.ts';

/** Resolves: the event is acknowledged. Rejects, throws or exceeds its time: the event comes again. */
export type Handler = (ctx: Context, event: Event) => void | Promise<void>;

export interface SubscriptionOptions {
  /**
   * Members of one name share the work: those of this process if the subscription is not durable, else of all, as
   * {@link Conn.subscribe} says. 1 to 255 characters. Default: the selector.
   */
  readonly name?: string;
  /** A new subscription starts at the beginning of the log; otherwise at events published from now on. Default: false. */
  readonly backfill?: boolean;
  /** The offset survives `close()` and restarts. Default: false. */
  readonly durable?: boolean;
  /**
   * The stored offset is dropped first, for all members, and the subscription starts as a new one: in this process when
   * the handlers in flight have settled; other processes take part anew, and what their handlers in flight acknowledge
   * does not count. Default: false.
   */
  readonly reset?: boolean;
  /** The next event only after the one before it was acknowledged. Default: false. */
  readonly serial?: boolean;
  /** Handlers in flight in all members of this process together: an integer from 1 up. Default: 64; 1 when serial. */
  readonly concurrency?: number;
  /**
   * Milliseconds from a handler's start until its context is cancelled and the event is due again, which a handler that
   * goes on all the same may overlap with. Default: 30,000.
   */
  readonly timeout?: number;
  /**
   * What orders events: those of one key are handled one after another, in log order, and those of different keys side
   * by side. 'stream': an event's stream is its key; 'aggregate': its aggregate; a function says any other, must give
   * the same key for the same event at all times, and its throwing counts as an attempt to handle it. Not with serial.
   * Default: no order.
   */
  readonly keyBy?: 'stream' | 'aggregate' | ((event: Event) => string);
  /**
   * Attempts at an event, after which it is parked: from 1 up, or Infinity to try for ever. Default: 10. While a parked
   * event waits to be replayed or skipped, later ones of its key wait behind it, in order; with `serial`, all do.
   */
  readonly maxDeliver?: number;
}

export interface SubscriptionStatus {
  /**
   * running: also where other processes share the events, and this one has none now. standby: another process is
   * delivering, and events are to stay in order; this one takes over when that one stops. blocked: it is serial, and
   * stands still behind a parked event.
   */
  readonly state: 'running' | 'standby' | 'blocked' | 'closed';
  /**
   * Matching events that are not acknowledged yet; parked ones, and those that wait behind them, among them. Where
   * several processes share them, as stored: 100 ms ago at most.
   */
  readonly lag: number;
  /** Handlers that are running in this process. */
  readonly inFlight: number;
  /** Events that are parked; not those that wait behind them. */
  readonly parked: number;
  /** Deliveries beyond the first in this process, since the subscription was opened. */
  readonly redelivered: number;
  /** The last event up to which everything is acknowledged. */
  readonly lastAcked: EventId | null;
}

export interface Subscription extends AsyncDisposable {
  readonly name: string;
  /**
   * Stops: no new event is handed out, handlers in flight may finish within their time, and the exact position is
   * stored. Other processes that share the subscription go on at once, with what this one leaves as well. A second call awaits the first. Disposal closes.
   */
  close(): Promise<void>;
  /** Stops likewise, in all members of this process, and drops the offset. In another process they start as new ones. */
  unsubscribe(): Promise<void>;
  /**
   * Resolves when every matching event up to and including `id` is acknowledged. Default: the last event of the log as
   * it is now.
   *
   * @throws {ParkedError} if a matching event up to `id` is parked, or gets parked meanwhile.
   * @throws {ClosedError} if the subscription is closed before. @throws {CanceledError} @throws {DeadlineExceededError}
   */
  caughtUp(ctx: Context, id?: EventId): Promise<void>;
  status(): SubscriptionStatus;
}

/** A durable subscription as the log keeps it. */
export interface SubscriptionInfo {
  readonly name: string;
  readonly selector: string;
  /** As it was last opened with, defaults filled in. */
  readonly options: Required<Pick<SubscriptionOptions, 'backfill' | 'serial' | 'concurrency' | 'timeout'>> & {
    /** 'function' is any function. null: none. */
    readonly keyBy: 'stream' | 'aggregate' | 'function' | null;
    /** null: no end of attempts. */
    readonly maxDeliver: number | null;
  };
  /** The last event up to which everything is acknowledged, as stored. */
  readonly lastAcked: EventId | null;
}
