import type { Context } from '@samovar/context';
import type { EntityRef } from './entity.ts';
import type { Tail } from './outcome.ts';

/** What tells one activity from all others, across restarts and workers. */
export interface ActivityKey {
  readonly entity: EntityRef;
  /** 1 to 100 letters, digits, `.`, `_` and `-`. */
  readonly name: string;
}

/** The right to run an activity, until another worker has it. */
export interface Lease {
  readonly activity: ActivityKey;
  /** Grows with each claim. Whoever has an older one is refused. */
  readonly epoch: number;
  /** As stored last. */
  readonly tail: Tail;
  /** Whether the activity has completed: it is not to be run again. */
  readonly isCompleted: boolean;
}

/** A worker that is alive. */
export interface Peer {
  /** No other worker has this name, or will ever have it. */
  readonly worker: string;
  /**
   * What it has claimed or tried to claim, since it has that name at least: each as the kind of the entity, `/`, and the
   * activity's name. At most 200 of them, those that came first.
   */
  readonly runs: ReadonlySet<string>;
}

/** The workers that share the activities, as one of them knows them. */
export interface Peers {
  /** The name of that one. It gets another if the others have given it up, and what it had claimed. */
  readonly self: string;
  /** Those that are alive, itself among them, in the order of their names. */
  readonly all: readonly Peer[];
}

/**
 * Who runs which activity, and how far it has come. A worker's leases are its own until it releases them, or has given
 * no sign of life for the lease time; it need not renew them one by one. What is stored survives kill -9.
 *
 * Besides what is named, each method may fail with what the storage, or the way to it, fails with.
 */
export abstract class Leases {
  /**
   * Takes the activity for this worker; taking what it has already gives a new epoch. What has completed is taken by
   * nobody: its lease just tells so. undefined: another worker has it, and is alive.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError} and then the lease may have been taken.
   */
  abstract claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined>;

  /** Stores how far the activity has come. @throws {StaleLeaseError} */
  abstract storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void>;

  /** Stores that the activity is done for good, and where; that ends the lease. @throws {StaleLeaseError} */
  abstract complete(ctx: Context, lease: Lease, tail: Tail): Promise<void>;

  /**
   * Gives the lease back, for another worker to claim at once. Releasing what is not held any more is no error.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract release(ctx: Context, lease: Lease): Promise<void>;

  /**
   * Tells `listener` of the workers that share the activities: at once if they are known, else as soon as they are, and
   * whenever they have changed, until disposal. What it is told may be late by some signs of life. Cannot fail, nor may
   * `listener`.
   */
  abstract onPeers(listener: (peers: Peers) => void): Disposable;
}

/** The leases of one worker. Disposal gives them all back. */
export type WorkerLeases = Leases & AsyncDisposable;

/** Whoever runs activities joins as a worker: workers share the activities by their leases. */
export abstract class Workers {
  /** Milliseconds after which the leases of a worker are free at the latest that gives no sign of life. */
  abstract readonly leaseMs: number;

  /**
   * A new worker, which gives signs of life by itself until it is disposed.
   *
   * @throws {Error} what the storage, or the way to it, fails with.
   */
  abstract join(): Promise<WorkerLeases>;
}
