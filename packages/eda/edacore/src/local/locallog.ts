import type { Context } from '@samovar/context';
import type { Append, Head } from '../append.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Selector } from '../selector.ts';
import type { Subscriptions } from '../stored.ts';
import type { Wakes } from './wakes.ts';

export interface PageRequest {
  /** Only events behind this one, or before it when backwards. */
  readonly from: Seq;
  /** Only events up to this one; not used when backwards. */
  readonly to: Seq;
  /** At most this many. The backend may answer with fewer, to bound memory and time. */
  readonly limit: number;
  readonly backwards: boolean;
}

export interface Page {
  readonly events: readonly StoredEvent[];
  /**
   * Up to here, everything that matches is in `events`, or was before `from`. Where there is no more: `to`, or the end of the
   * log if that is before it; backwards 0.
   */
  readonly cursor: Seq;
  /** Whether there is more to look through now. A page may be empty although there is. */
  readonly more: boolean;
}

/** A log that this process has open itself. All reading is synchronous and sees every commit answered before. */
export interface LocalLog {
  /** 20 random bits that tell this log's ids from another's. */
  readonly number: number;
  /** Milliseconds that the owner of a subscription may be silent until another process takes over. Infinity: there is none. */
  readonly leaseMs: number;
  readonly wakes: Wakes;
  /** The clock that events without a time get it from, in milliseconds. Default: the system's. */
  readonly now?: () => number;
  readonly subscriptions: Subscriptions;
  /** Stores a commit, in the order of the calls, and answers it. Never throws. */
  append(append: Append): void;
  page(selector: Selector, request: PageRequest): Page;
  /** The events at these places that still exist, in this order. */
  at(seqs: readonly Seq[]): StoredEvent[];
  head(stream: string): Head | undefined;
  /** Up to `limit` matching streams that have events and come after `after`, by name. */
  streams(selector: Selector, after: string, limit: number): StreamPage;
  /**
   * Erases the stream, as `Conn.erase` says: all of its events at once. Those published before it is asked are gone then;
   * what is published meanwhile goes or stays.
   */
  erase(ctx: Context, stream: string): Promise<void>;
  /** Whether the event at this place, which was read before, has been erased since, as far as this process knows. */
  isErased(seq: Seq): boolean;
  /** The last event of the log; 0 if there is none. Never goes back while the log is open. */
  tip(): Seq;
  /**
   * How many events match. For a pattern this looks at every stream: where there are many, it lets others have their turn,
   * and what is published or erased meanwhile counts or does not.
   */
  count(selector: Selector): number | Promise<number>;
  /** Resolves when everything appended before is answered. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

export interface StreamPage {
  readonly streams: readonly { readonly name: string; readonly head: Head; readonly events: number }[];
  /** The name to go on after; undefined at the end. */
  readonly next: string | undefined;
}
