import type { EntityEvents, EntityKind, Leases } from '@samovar/activity';
import type { Logger } from '@samovar/eda';
import type { Claims } from './claims.ts';
import type { Clock } from './clock.ts';
import type { Homes } from './homes.ts';
import type { Task } from './task.ts';

/** What tells one engine from another: when to run what. */
export interface Policy {
  /** Whether the streams that activities get wait for more. */
  readonly watch: boolean;
  /** The task has got its lease, and sleeps. */
  claimed(task: Task): void;
  /**
   * Milliseconds until a task runs again that is through with all there was, for the `idle`th time in a row without
   * progress; undefined: until it is woken.
   */
  pause(idle: number): number | undefined;
  /** When all that sleep are woken, if that has a time: milliseconds since 1970. */
  nextTick(): number | undefined;
  /** Resolves when nothing is left running. */
  stop(): Promise<void>;
}

/** What a task needs of its engine. */
export interface Host {
  readonly events: EntityEvents;
  readonly leases: Leases;
  readonly claims: Claims;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly homes: Pick<Homes, 'has'>;
  readonly policy: Policy;
  /** Runs `fn` when a place of that kind is free: first come, first served. */
  inTurn(kind: EntityKind, fn: () => Promise<void>): Promise<void>;
  forget(task: Task): void;
}
