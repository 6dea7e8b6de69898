import type { Context } from '@samovar/context';
import { type EventId, HeadConflictError, type SubscriptionInfo } from '@samovar/eda';
import type { StoredEvent } from './event.ts';
import { encodeId, maxCommit, type Seq } from './ids.ts';
import type { Selector } from './selector.ts';
import type { Wakes } from './wakes.ts';

/** An event to store, checked and encoded. Empty texts are null. */
export interface NewRow {
  /** As `kindOf` gives it, not yet marked as the last of its commit. */
  readonly kind: number;
  readonly type: string;
  readonly data: Uint8Array | string | null;
  readonly time: number;
  readonly schema: string | null;
  readonly aggregate: string | null;
  readonly cause: EventId | null;
  /** JSON. */
  readonly meta: string | null;
}

/** The head that a publisher expects. */
export interface ExpectedHead {
  /** 0: the stream is empty. An event that is not the last of its commit is no stream's head, and so never matches. */
  readonly seq: Seq;
  readonly clock: number;
  readonly id: EventId | null;
}

/** The last event of a stream; always the last of its commit. */
export interface Head {
  readonly seq: Seq;
  readonly clock: number;
}

/** One commit on its way into the log. */
export class Append<Result = EventId | EventId[]> {
  readonly promise: Promise<Result>;
  readonly ctx: Context;
  readonly stream: string;
  readonly client: string | null;
  readonly rows: readonly NewRow[];
  /** The payloads' size: at most their bytes, at least a third of them. */
  readonly size: number;
  readonly key: string | undefined;
  readonly #expected: ExpectedHead | undefined;
  readonly #single: boolean;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;

  constructor(
    commit: Pick<Append, 'ctx' | 'stream' | 'client' | 'rows' | 'size' | 'key'>,
    expected: ExpectedHead | undefined,
    single: boolean,
  ) {
    this.ctx = commit.ctx;
    this.stream = commit.stream;
    this.client = commit.client;
    this.rows = commit.rows;
    this.size = commit.size;
    this.key = commit.key;
    this.#expected = expected;
    this.#single = single;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get expected(): ExpectedHead | undefined {
    return this.#expected;
  }

  /** The error to fail with if `head` is not the expected one. */
  conflict(log: number, head: Head | undefined): HeadConflictError | undefined {
    const expected = this.#expected;
    if (expected === undefined) return undefined;
    if (head === undefined ? expected.id === null : expected.seq === head.seq && expected.clock === head.clock) {
      return undefined;
    }
    const stored = head === undefined ? null : encodeId(log, head.seq, true, head.clock);
    return new HeadConflictError(this.stream, stored, expected.id);
  }

  /** Answers with the ids of the `count` events from `seq` on: the stored ones, or those stored first with this key. */
  stored(log: number, seq: Seq, count: number, clock: number): void {
    this.#resolve((this.#single ? encodeId(log, seq, count === 1, clock) : idsOf(log, seq, count, clock)) as Result);
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

function idsOf(log: number, seq: Seq, count: number, clock: number): EventId[] {
  const ids: EventId[] = [];
  for (let i = 0; i < count; i++) ids.push(encodeId(log, seq + i, i === count - 1, clock));
  return ids;
}

/** The first event of the commit at `position`. @throws {RangeError} beyond 2^42 commits. */
export function firstSeq(position: number): Seq {
  if (!(position < 2 ** 42)) throw new RangeError(`this log cannot hold more than 2^42 commits`);
  return position * maxCommit;
}

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
  /** Up to here, everything that matches is in `events`, or was before `from`. */
  readonly cursor: Seq;
  /** Whether there is more to look through now. A page may be empty although there is. */
  readonly more: boolean;
}

/**
 * A subscription's exact position: every matching event up to `high` is acknowledged, save the pending ones and those
 * that {@link Parked} has.
 */
export interface Offset {
  readonly high: Seq;
  /** In log order, with how often each was handed out; also those that are kept as parked or waiting, while they are tried. */
  readonly pending: readonly (readonly [seq: Seq, deliveries: number])[];
  /** How many matching events are acknowledged. */
  readonly acked: number;
  /** The last event up to which everything is acknowledged. */
  readonly last: EventId | null;
}

/** A durable subscription as it is stored. Whoever holds the epoch may store its offset. */
export interface StoredSubscription {
  readonly selector: string;
  /** As it was last opened with. What is missing is not known: it was stored before options were. */
  readonly options: Partial<SubscriptionInfo['options']>;
  readonly offset: Offset;
  /** '' when nobody is delivering. */
  readonly owner: string;
  readonly epoch: number;
  /** Grows with each sign of life of the owner. */
  readonly beat: number;
  /** When the owner's lease ends, by the wall clock, in milliseconds. */
  readonly expires: number;
}

/** What an operator has asked for: '' for nothing yet. Whatever else makes the event one that is not parked any more. */
export type ParkedRequest = '' | 'replay' | 'skip';

/** A parked event as it is stored. */
export interface ParkedRow {
  readonly seq: Seq;
  /** null: no other event waits behind this one. */
  readonly key: string | null;
  readonly attempts: number;
  readonly error: string;
  /** When it was parked, in milliseconds. */
  readonly since: number;
  readonly request: ParkedRequest;
}

/** What is parked of one subscription, and what waits behind it. Each method looks at what is stored now. */
export interface Parked {
  /** Up to `limit` rows behind `after`, in log order, whatever is requested of them. */
  rows(after: Seq, limit: number): ParkedRow[];
  /** Up to `limit` of those of which something is requested, in log order. */
  requested(limit: number): ParkedRow[];
  /** Up to `limit` events of the key that wait, behind `after`, in log order. */
  waiting(key: string, after: Seq, limit: number): Seq[];
  /** Up to `limit` keys with waiting events, behind `after`, in their order. */
  waitingKeys(after: string | undefined, limit: number): string[];
  /** The first event that waits, of whatever key. */
  firstWaiting(): Seq | undefined;
  /** How many are parked, without those of which something is requested. */
  count(): number;
}

/** What becomes of what is parked, by the event. Doing it twice is doing it once. */
export interface ParkedChange {
  /** To be there, in the place of an earlier one; or, with null, not to be. */
  readonly parked: ReadonlyMap<Seq, ParkedRow | null>;
  /** To wait, or not to. */
  readonly waiting: ReadonlyMap<Seq, { readonly key: string; readonly waits: boolean }>;
}

/** What is to be stored of a subscription, in one go. */
export interface Changed extends StoredSubscription {
  /** 'none': nothing is to be parked or wait any more. Default: it stays as it is. */
  readonly parked?: ParkedChange | 'none';
}

/** Where durable subscriptions are kept. Whatever is written is as safe as a published event. */
export interface Subscriptions {
  /** All of them, by name, in any order. */
  all(): [name: string, stored: StoredSubscription][];
  peek(name: string): StoredSubscription | undefined;
  /**
   * Atomically replaces what is stored by what `change` makes of it, unless that is undefined; answers with the result.
   * `change` may run more than once. `newEpoch` gives a number that no subscription of the log has had before.
   */
  change(
    name: string,
    change: (stored: StoredSubscription | undefined, newEpoch: () => number) => Changed | undefined,
  ): Promise<StoredSubscription | undefined>;
  /** Forgets it, with what is parked. */
  drop(name: string): Promise<void>;
  parked(name: string): Parked;
  /**
   * Stores a request for each of these parked events, if all of them are parked and have none. Answers with those that
   * are not so; then nothing is stored.
   */
  request(name: string, seqs: readonly Seq[], request: ParkedRequest): Promise<Seq[]>;
}

/** One open log, as the shared parts need it. All reading is synchronous and sees every commit answered before. */
export interface Backend {
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
  /** The last event of the log, and how many match; for a pattern this may take a look at every stream. */
  extent(selector: Selector): { readonly tip: Seq; readonly events: number };
  /** Resolves when everything appended before is answered. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

export interface StreamPage {
  readonly streams: readonly { readonly name: string; readonly head: Head; readonly events: number }[];
  /** The name to go on after; undefined at the end. */
  readonly next: string | undefined;
}
