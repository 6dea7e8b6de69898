import type { Context } from '@samovar/context';
import type { Event, EventStream, StreamInfo } from '@samovar/eda';
import type { Append, Head } from './append.ts';
import type { Seq } from './ids.ts';
import type { Reading } from './reading.ts';
import type { Selector } from './selector.ts';
import type { Offset, Parked, Subscriptions } from './stored.ts';

/** An event that is in a log. */
export interface LogEvent extends Event {
  readonly seq: Seq;
  /** The same event as handed out for the `deliveries`th time. */
  delivered(deliveries: number): LogEvent;
}

/** What a connection or a reader may go on with until it is closed. */
export interface Closing {
  readonly closed: boolean;
  /** Calls `then` on closing, until the function returned is called. */
  onClose(then: () => void): () => void;
}

/** What a feed tells. */
export interface FeedEvents {
  /** There may be something to take. */
  onMore(): void;
  /** Nothing matched in what was looked through; `more`: there may be events behind it. */
  onPassed(more: boolean): void;
  onError(error: unknown): void;
}

/** The events of a subscription that are not handed out yet, in log order. */
export interface Feed {
  /** Where the next event is; at least. */
  readonly next: Seq;
  /** The next event, if it is at hand now; if not, `onMore` follows when there may be one. */
  take(): LogEvent | undefined;
  /** Looks for events behind the last one seen again. */
  lookAgain(): void;
  /** How many matching events are not taken yet, where `taken` of all were taken by this feed or before it. */
  behind(taken: number): number;
  /** Nothing is told any more. */
  close(): void;
}

/** One open log, as connections and subscriptions need it. */
export interface Backend {
  /** 20 random bits that tell this log's ids from another's. */
  readonly number: number;
  /** Milliseconds that the owner of a subscription may be silent until another process takes over. Infinity: there is none. */
  readonly leaseMs: number;
  /** Bytes that the payloads of a commit may have, whatever a connection asks for. */
  readonly mostCommitBytes: number;
  /** The clock that events without a time get it from, in milliseconds. Default: the system's. */
  readonly now?: () => number;
  readonly subscriptions: Subscriptions;
  /** Stores a commit, in the order of the calls, and answers it. Never throws. */
  append(append: Append): void;
  /** As `Conn.read` says. */
  read(ctx: Context, closing: Closing, reading: Reading): EventStream;
  head(ctx: Context, stream: string): Promise<Head | undefined>;
  /** By name. `check` throws if the caller may not go on. */
  streams(selector: Selector, check: () => void): AsyncIterable<StreamInfo>;
  /**
   * Erases the stream, as `Conn.erase` says: all of its events at once. Those published before it is asked are gone then;
   * what is published meanwhile goes or stays.
   */
  erase(ctx: Context, stream: string): Promise<void>;
  /** Whether the event, which was read before, has been erased since, as far as this process knows. */
  isErased(event: LogEvent): boolean;
  /** The events at these places that still exist, in this order. */
  at(seqs: readonly Seq[]): Promise<LogEvent[]>;
  /** The last matching event up to `seq`. */
  lastUpTo(selector: Selector, seq: Seq): Promise<LogEvent | undefined>;
  /** What matches behind `after`. */
  feed(selector: Selector, after: Seq, events: FeedEvents): Feed;
  /** The offset of a subscription that begins at what is new now. */
  atEnd(selector: Selector): Promise<Offset>;
  /** A place that a feed comes to, behind which nothing matches that is there now; not further than `seq` needs. */
  reach(selector: Selector, seq?: Seq): Promise<Seq>;
  /**
   * How many matching events are not acknowledged where this is the offset stored, and this is parked; for a pattern this
   * may look at every stream.
   */
  lag(selector: Selector, offset: Offset, parked: Parked): number | Promise<number>;
  /** Resolves when everything appended before is answered. */
  drained(): Promise<void>;
  close(): Promise<void>;
}
