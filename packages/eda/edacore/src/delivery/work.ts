import type { Backend } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Offset, Parked } from '../stored.ts';
import type { Members } from './members.ts';
import type { Terms } from './options.ts';

/** What a dispatcher works on. */
export interface Work {
  readonly backend: Backend;
  readonly terms: Terms;
  readonly members: Members;
  /** What this process was handed before is pending. */
  readonly offset: Offset;
  readonly parked: Parked;
  /** Where to deliver new events from on; undefined: another process does. */
  readonly front: Seq | undefined;
}

/** What a dispatcher asks and tells the group it works for. */
export interface Supervisor {
  /** How many processes share the events, this one among them. */
  readonly processes: number;
  /** The first event that another process was handed and has not acknowledged. */
  readonly firstElsewhere: Seq | undefined;
  /** Whether this process still has a part. Asked before each turn. */
  isActive(): boolean;
  /** Whether another handler may start now, `inFlight` running. Whoever says no calls `resume` later. */
  mayStart(inFlight: number): boolean;
  /** There is something to store: `count` events were acknowledged or wait, or a part without matching events passed. */
  onProgress(count: number): void;
  /** There is something to store at once. */
  onParked(): void;
  /** All that this process has room for is handed out, and there may be more. */
  onFull(): void;
  /** There is room for more, which another process has yet to hand out. */
  onRoom(): void;
  /** Reading the log failed; delivery goes on with `resume`. */
  onError(error: unknown): void;
}
