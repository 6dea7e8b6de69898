import type { EventId, SubscriptionInfo } from '@samovar/eda';
import type { Seq } from './ids.ts';

/** An event that is handed out: where it is, how often it was handed out, and how often of that before it was replayed. */
export type Pending = readonly [seq: Seq, deliveries: number, before?: number];

/**
 * A subscription's exact position: every matching event up to `high` is acknowledged, save the pending ones and those
 * that {@link Parked} has.
 */
export interface Offset {
  readonly high: Seq;
  /** In log order, with how often each was handed out; also those that are kept as parked or waiting, while they are tried. */
  readonly pending: readonly Pending[];
  /** How many matching events are acknowledged. */
  readonly acked: number;
  /** The last event up to which everything is acknowledged. */
  readonly last: EventId | null;
}

/** One of the processes that have a subscription open, and its sign of life. */
export interface Sign {
  /** '' when it has left. */
  readonly owner: string;
  /** Tells it from all others, also from itself before it lost its lease. */
  readonly epoch: number;
  /** Grows with each sign of life. */
  readonly beat: number;
  /** When its lease ends, by the wall clock, in milliseconds. */
  readonly expires: number;
}

/** What a process has been handed of a subscription that it shares with others, while one of those delivers what is new. */
export interface Share extends Sign {
  readonly pending: readonly Pending[];
  /** Whether it has room for more. */
  readonly wants: boolean;
}

/**
 * A durable subscription as it is stored. The sign of life is that of the process that delivers what is new, and the
 * pending events of the offset are its own; those of the others are in their shares. Each may store its own part.
 */
export interface StoredSubscription extends Sign {
  readonly selector: string;
  /** As it was last opened with. What is missing is not known: it was stored before options were. */
  readonly options: Partial<SubscriptionInfo['options']>;
  readonly offset: Offset;
  /** In the order in which it is their turn to deliver what is new. */
  readonly shares: readonly Share[];
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
  /** How many wait, of all keys. */
  countWaiting(): number;
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

export interface ChangeOptions {
  /** Whether a loss of power, but no crash, may undo it until something else is written. Default: false. */
  readonly isLazy?: boolean;
}

/** Where durable subscriptions are kept. Whatever is written is as safe as a published event, unless it says otherwise. */
export interface Subscriptions {
  /** Resolves when what is stored now is at hand for the other methods. */
  ready(): Promise<void>;
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
    options?: ChangeOptions,
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
