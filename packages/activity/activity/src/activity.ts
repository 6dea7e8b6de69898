import type { Context } from '@samovar/context';
import type { EventId, EventStream } from '@samovar/eda';
import type { Uuid } from '@samovar/repos';
import type { EntityKind, EntityRef } from './entity.ts';
import type { ActivityKey } from './lease.ts';
import type { Outcome, Tail } from './outcome.ts';

export { ActivityReport, Engines, ListActivitiesQuery } from './engines.ts';
export { type EntityKind, type EntityRef, entityKinds, entityOf, entitySelector, entityStream } from './entity.ts';
export { ActivityAlreadyStartedError, EngineStoppedError, InvalidActivityError, StaleLeaseError } from './errors.ts';
export { type ActivityKey, type Lease, Leases, type Peer, type Peers, type WorkerLeases, Workers } from './lease.ts';
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
 * - waiting: for its lease, which another worker has, or is to have.
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
 * has completed before is not run: its handle says so. One that another worker runs is started when that has let go of it.
 *
 * Workers that run the same share it. Each activity is at home with one of those that have started any of its name on
 * that kind of entity, whatever the engine: the others leave it to that one, start it themselves if it has not done so
 * after three seconds, and give back what they run when one joins with which it is at home. A run that ends by itself is
 * left to do so; one of the eager engine is cancelled.
 *
 * `ctx` is that of the start alone: if it is done first, the activity is not started. What runs gets a context of its own.
 */

/** Runs activities of registries. */
export abstract class RegistryEngine {
  /**
   * @throws {InvalidActivityError} @throws {ActivityAlreadyStartedError} @throws {EngineStoppedError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract startRegistryActivity(
    ctx: Context,
    registry: string,
    activity: RegistryActivity | RegistryActivity['processRegistryEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

/** Runs activities of the indexes of registries' workflows. */
export abstract class RegistryWorkflowIndexEngine {
  /**
   * @throws {InvalidActivityError} @throws {ActivityAlreadyStartedError} @throws {EngineStoppedError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract startRegistryWorkflowIndexActivity(
    ctx: Context,
    registry: string,
    activity: RegistryWorkflowIndexActivity | RegistryWorkflowIndexActivity['processRegistryWorkflowIndexEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

/** Runs activities of registries' workflows. */
export abstract class RegistryWorkflowEngine {
  /**
   * @throws {InvalidActivityError} @throws {ActivityAlreadyStartedError} @throws {EngineStoppedError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract startRegistryWorkflowActivity(
    ctx: Context,
    registry: string,
    workflowId: Uuid,
    activity: RegistryWorkflowActivity | RegistryWorkflowActivity['processRegistryWorkflowEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

/** Runs activities of repositories. */
export abstract class RepoEngine {
  /**
   * @throws {InvalidActivityError} @throws {ActivityAlreadyStartedError} @throws {EngineStoppedError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract startRepoActivity(
    ctx: Context,
    repoId: Uuid,
    activity: RepoActivity | RepoActivity['processRepoEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle>;
}

/** Runs activities of repositories' workflows. */
export abstract class RepoWorkflowEngine {
  /**
   * @throws {InvalidActivityError} @throws {ActivityAlreadyStartedError} @throws {EngineStoppedError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract startRepoWorkflowActivity(
    ctx: Context,
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

/**
 * The events of entities, as an engine needs them: in process, or over the network. Besides what is named, each method
 * may fail with what the log, or the way to it, fails with: that is tried again.
 */
export abstract class EntityEvents {
  /**
   * The entity's events behind `after`, in order. Ends with `ctx`.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError} when iterated, too.
   */
  abstract open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream;

  /**
   * Entities of these kinds whose streams have new events. The first item, which may be empty, comes as soon as no news
   * is missed any more. Each later one names an entity once, however many events came since it was named before; it may
   * name one without news. Ends with `ctx`; when it ends or fails otherwise, signals may be missed until it is called
   * again.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError} when iterated.
   */
  abstract signals(ctx: Context, kinds: readonly EntityKind[]): AsyncIterable<readonly EntityRef[]>;

  /** The entity's last event; null if it has none. @throws {CanceledError} @throws {DeadlineExceededError} */
  abstract head(ctx: Context, entity: EntityRef): Promise<EventId | null>;

  /**
   * Every entity of these kinds that has events, with its last one.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError} when iterated.
   */
  abstract heads(
    ctx: Context,
    kinds: readonly EntityKind[],
  ): AsyncIterable<{ readonly entity: EntityRef; readonly head: EventId }>;
}
