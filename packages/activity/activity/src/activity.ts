import type { Context } from '@samovar/context';
import type { EventId, EventStream } from '@samovar/eda';
import type { Uuid } from '@samovar/repos';
import type { EntityKind, EntityRef } from './entity.ts';
import type { ActivityKey } from './lease.ts';
import type { Outcome, Tail } from './outcome.ts';

export { type EntityKind, type EntityRef, entityKinds, entityOf, entitySelector, entityStream } from './entity.ts';
export { ActivityAlreadyStartedError, EngineStoppedError, InvalidActivityError, StaleLeaseError } from './errors.ts';
export { type ActivityKey, type Lease, Leases } from './lease.ts';
export {
  canceled,
  completed,
  endOfStream,
  isSilentRetry,
  isSilentRetryAfter,
  type Outcome,
  retry,
  retryAfter,
  SilentRetry,
  SilentRetryAfter,
  type Tail,
} from './outcome.ts';

/*
 * An activity is run again and again, each time with the events behind its last tail, until it has completed. It
 * handles a stream that ends as well as one that waits for more, and ends promptly when its context is done. What it
 * throws counts as a retry from the last tail known; a CanceledError, an AbortError or gRPC's status 1 as canceled.
 *
 * The recommended shape: read `events.history()` into a view without side effects (if that fails, answer with the tail
 * null, to start over), act on the view, then follow `events` one by one, and answer with the last event that was dealt
 * with. After a crash, events behind the last stored tail come again: side effects are to be such that doing them twice
 * is doing them once.
 */

export interface RegistryActivity {
  processRegistryEvents(ctx: Context, registry: string, tail: Tail, events: EventStream): Promise<Outcome>;
}

export interface RegistryWorkflowIndexActivity {
  processRegistryWorkflowIndexEvents(ctx: Context, registry: string, tail: Tail, events: EventStream): Promise<Outcome>;
}

export interface RegistryWorkflowActivity {
  processRegistryWorkflowEvents(
    ctx: Context,
    registry: string,
    workflowId: Uuid,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome>;
}

export interface RepoActivity {
  processRepoEvents(ctx: Context, repoId: Uuid, tail: Tail, events: EventStream): Promise<Outcome>;
}

export interface RepoWorkflowActivity {
  processRepoWorkflowEvents(
    ctx: Context,
    repoId: Uuid,
    workflowId: Uuid,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome>;
}

export interface StartOptions {
  /**
   * Identifies the activity, with its entity, across restarts and workers: 1 to 100 letters, digits, `.`, `_` and `-`.
   * Default: the name of the activity's class or function.
   */
  readonly name?: string;
}

/**
 * What an activity is doing.
 * - waiting: another worker has its lease.
 * - ready: due, and waits for a free place among those of its kind.
 * - running.
 * - sleeping: through with all there was; more events, or the next tick, wake it.
 * - retrying: failed, and waits for the end of a pause.
 * - completed, stopped: not run any more, here or at all.
 */
export type ActivityState = 'waiting' | 'ready' | 'running' | 'sleeping' | 'retrying' | 'completed' | 'stopped';

export interface ActivityStatus {
  readonly activity: ActivityKey;
  readonly state: ActivityState;
  readonly tail: Tail;
  /** Failures in a row, without progress. */
  readonly attempts: number;
  /** What it failed with last; undefined once it has made progress. */
  readonly lastError: Error | undefined;
  /** When it is run next, if a time is set for that. */
  readonly nextRun: Date | undefined;
}

/** An activity that was started. */
export interface ActivityHandle {
  readonly activity: ActivityKey;
  status(): ActivityStatus;
  /** Cancels what is running, stores the tail, and gives the lease back. Resolves when that is done. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the activity has completed or was stopped, here. Never rejects. */
  readonly ended: Promise<'completed' | 'stopped'>;
}

/*
 * Engines run activities. All run all five kinds, mean the same by each outcome, keep the tail under a lease, and differ
 * only in when they run what: lazy, when there are events; eager, all the time; cron, at fixed times. An activity that
 * has completed before is not run: its handle says so at once.
 *
 * Starting throws ActivityAlreadyStartedError, EngineStoppedError, and InvalidActivityError naming the argument. An
 * activity that another worker runs is started when that has let go of it.
 */

export abstract class RegistryEngine {
  abstract startRegistryActivity(
    registry: string,
    activity: RegistryActivity | RegistryActivity['processRegistryEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

export abstract class RegistryWorkflowIndexEngine {
  abstract startRegistryWorkflowIndexActivity(
    registry: string,
    activity: RegistryWorkflowIndexActivity | RegistryWorkflowIndexActivity['processRegistryWorkflowIndexEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

export abstract class RegistryWorkflowEngine {
  abstract startRegistryWorkflowActivity(
    registry: string,
    workflowId: Uuid,
    activity: RegistryWorkflowActivity | RegistryWorkflowActivity['processRegistryWorkflowEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

export abstract class RepoEngine {
  abstract startRepoActivity(
    repoId: Uuid,
    activity: RepoActivity | RepoActivity['processRepoEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

export abstract class RepoWorkflowEngine {
  abstract startRepoWorkflowActivity(
    repoId: Uuid,
    workflowId: Uuid,
    activity: RepoWorkflowActivity | RepoWorkflowActivity['processRepoWorkflowEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

/** An engine of all kinds of activities. */
export interface ActivityEngine
  extends RegistryEngine,
    RegistryWorkflowIndexEngine,
    RegistryWorkflowEngine,
    RepoEngine,
    RepoWorkflowEngine,
    AsyncDisposable {
  /** What was started and has not been stopped, in the order of the starts; completed ones too. */
  activities(): readonly ActivityStatus[];
  /**
   * Cancels what is running, waits for it for so many milliseconds at most, stores tails and gives leases back. What
   * does not end in time is left alone: its outcome does not count any more. Idempotent.
   */
  stop(graceMs?: number): Promise<void>;
}

export interface OpenOptions {
  /** Where the stream begins: behind this event. */
  readonly after: Tail;
  /** Whether it waits for more where it would end. */
  readonly watch: boolean;
}

/** The events of entities, as an engine needs them: in process, or over the network. */
export abstract class EntityEvents {
  /** The entity's events behind `after`, in order. Ends with `ctx`. */
  abstract open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream;

  /**
   * Entities of these kinds whose streams have new events, from the call on: each signal names an entity once, however
   * many events came since the one before. It may name one without news. Ends with `ctx`; when it ends or fails
   * otherwise, signals may be missed until it is called again.
   */
  abstract signals(ctx: Context, kinds: readonly EntityKind[]): AsyncIterable<readonly EntityRef[]>;

  /** Every entity of these kinds that has events, with its last one. */
  abstract heads(
    ctx: Context,
    kinds: readonly EntityKind[],
  ): AsyncIterable<{ readonly entity: EntityRef; readonly head: EventId }>;
}
