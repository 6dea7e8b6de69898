import type { Seq } from '../ids.ts';
import type { ParkedChange, Pending } from '../stored.ts';
import type { Backlog } from './backlog.ts';
import type { Delivery } from './unacked.ts';

/** What became of an event that is to be parked. */
export interface GivenUp {
  readonly seq: Seq;
  readonly attempts: number;
  readonly error: string;
}

/** What was done of what is requested. */
export interface CarriedOut {
  /** Of how many events. */
  readonly events: number;
  /** How many of those are given up by that. */
  readonly skipped: number;
}

/** What a subscription has parked, what waits behind that, and what is tried although it is not new. */
export interface Parking {
  /** How many are parked, as is stored. */
  readonly parked: number;
  /** How many are parked, wait or are tried, stored or not. */
  readonly size: number;
  /** Whether there are none. */
  readonly isEmpty: boolean;
  /** The first of them. */
  readonly first: Seq | undefined;
  /** How many are being tried. */
  readonly active: number;
  /** Those being tried. */
  readonly trying: readonly Pending[];
  /** Whether there is something to store. */
  readonly hasChanges: boolean;
  /** Whether the event is among those that are to be tried from here. */
  has(seq: Seq): boolean;
  /** The first parked event up to `seq`. */
  firstParked(seq: Seq): Seq | undefined;
  /** Whether events of the key have to wait. */
  blocks(key: string): boolean;
  wait(key: string, seq: Seq): void;
  /** Parks an event, and has others of its key wait. */
  park(event: GivenUp, key: string | undefined, behind: readonly Delivery[]): void;
  /** What was tried as part of a backlog is parked in its place. */
  parkAgain(backlog: Backlog, event: GivenUp): void;
  /** What was tried as part of a backlog is acknowledged. */
  acknowledged(backlog: Backlog): void;
  /** The next one to try; 'gone' where it does not exist any more. If none is at hand, it is said later when one is. */
  take(): Delivery | 'gone' | undefined;
  /** Other processes may have stored something. */
  refresh(): void;
  /** To be tried: what other processes left, as is stored. */
  takeUp(pending: readonly Pending[]): void;
  /** Carries out what is requested. */
  carryOut(): CarriedOut;
  /** Some parked events, at most `limit`; all of them in turn, call by call. */
  someParked(limit: number): Seq[];
  /** These do not exist any more. Answers with how many of them were parked. */
  forget(seqs: readonly Seq[]): number;
  /** What has changed, to be stored with the offset; `stored`, `failed` or nothing more follows. */
  begin(): ParkedChange;
  /** Answers with the events that are parked by that. */
  stored(): Seq[];
  failed(): void;
}
