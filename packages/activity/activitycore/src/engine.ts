import {
  type ActivityEngine,
  type ActivityHandle,
  type ActivityStatus,
  EngineStoppedError,
  type EntityEvents,
  type EntityKind,
  type EntityRef,
  entityKinds,
  entityStream,
  InvalidActivityError,
  type Leases,
  type RegistryActivity,
  type RegistryWorkflowActivity,
  type RegistryWorkflowIndexActivity,
  type RepoActivity,
  type RepoWorkflowActivity,
  type StartOptions,
} from '@samovar/activity';
import { type Context, throwIfDone } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import { RegistryName, Uuid } from '@samovar/repos';
import pLimit, { type LimitFunction } from 'p-limit';
import { Claims } from './claims.ts';
import { type Clock, systemClock } from './clock.ts';
import { Homes } from './homes.ts';
import type { Host, Policy } from './host.ts';
import { type Activity, nameOf, processOf } from './process.ts';
import { Task } from './task.ts';
import { Tasks } from './tasks.ts';

export interface EngineOptions {
  readonly events: EntityEvents;
  readonly leases: Leases;
  /** Told of activities that fail, at warn. */
  readonly logger: Logger;
  /** How many activities of a kind run at a time: from 1 up. The others are ready, and wait for their turn. */
  readonly limits?: Partial<Readonly<Record<EntityKind, number>>>;
  /** Milliseconds after which a lease that another worker has is asked for again. Default: 1,000. */
  readonly claimEveryMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** What a policy needs of its engine. */
export interface PolicyHost extends Pick<EngineOptions, 'events' | 'logger'> {
  readonly clock: Clock;
  readonly tasks: Tasks;
}

const graceMs = 10_000;

/** What all engines have in common. */
export class Engine implements ActivityEngine {
  readonly #tasks = new Tasks();
  readonly #host: Host;
  readonly #peers: Disposable;
  #stopping: Promise<void> | undefined;

  /** `limit` is that of kinds that `options` name no limit for. */
  constructor(options: EngineOptions, limit: number, policyOf: (host: PolicyHost) => Policy) {
    const { events, leases, logger, limits = {}, claimEveryMs = 1_000, clock = systemClock } = options;
    const turns = turnsOf((kind) => limits[kind] ?? limit);
    const homes = new Homes();
    this.#host = {
      events,
      leases,
      logger,
      clock,
      homes,
      claims: new Claims(leases, clock, logger, claimEveryMs),
      policy: policyOf({ events, logger, clock, tasks: this.#tasks }),
      inTurn: (kind, fn) => turns[kind](fn),
      forget: (task) => this.#tasks.delete(task),
    };
    let self: string | undefined;
    this.#peers = leases.onPeers((peers) => {
      const isAnother = self !== undefined && self !== peers.self;
      self = peers.self;
      if (!homes.learn(peers)) return;
      for (const task of this.#tasks.all()) {
        if (isAnother) task.forfeit();
        task.rehome();
      }
    });
  }

  startRegistryActivity(
    ctx: Context,
    registry: string,
    activity: RegistryActivity | RegistryActivity['processRegistryEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle> {
    return this.#start(ctx, { kind: 'registry', registry }, activity, 'processRegistryEvents', [registry], options);
  }

  startRegistryWorkflowIndexActivity(
    ctx: Context,
    registry: string,
    activity: RegistryWorkflowIndexActivity | RegistryWorkflowIndexActivity['processRegistryWorkflowIndexEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle> {
    const entity = { kind: 'registryWorkflowIndex', registry } as const;
    return this.#start(ctx, entity, activity, 'processRegistryWorkflowIndexEvents', [registry], options);
  }

  startRegistryWorkflowActivity(
    ctx: Context,
    registry: string,
    workflowId: Uuid,
    activity: RegistryWorkflowActivity | RegistryWorkflowActivity['processRegistryWorkflowEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle> {
    const entity = { kind: 'registryWorkflow', registry, workflowId } as const;
    return this.#start(ctx, entity, activity, 'processRegistryWorkflowEvents', [registry, workflowId], options);
  }

  startRepoActivity(
    ctx: Context,
    repoId: Uuid,
    activity: RepoActivity | RepoActivity['processRepoEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle> {
    return this.#start(ctx, { kind: 'repo', repoId }, activity, 'processRepoEvents', [repoId], options);
  }

  startRepoWorkflowActivity(
    ctx: Context,
    repoId: Uuid,
    workflowId: Uuid,
    activity: RepoWorkflowActivity | RepoWorkflowActivity['processRepoWorkflowEvents'],
    options?: StartOptions,
  ): Promise<ActivityHandle> {
    const entity = { kind: 'repoWorkflow', repoId, workflowId } as const;
    return this.#start(ctx, entity, activity, 'processRepoWorkflowEvents', [repoId, workflowId], options);
  }

  activities(): readonly ActivityStatus[] {
    return this.#tasks.all().map((task) => task.status());
  }

  /** Resolves when no activity is being claimed, ready or running. */
  async quiet(): Promise<void> {
    for (;;) {
      const busy = this.#tasks.all().flatMap((task) => task.busy ?? []);
      if (busy.length === 0) return;
      await Promise.all(busy);
    }
  }

  stop(grace = graceMs): Promise<void> {
    this.#stopping ??= this.#stop(grace);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Runs the entity's activities once more, as far as they are not waiting for something else. */
  protected wake(entity: EntityRef): void {
    for (const task of this.#tasks.of(entityStream(entity))) task.wake();
  }

  async #start<Method extends string, const Ids extends readonly string[]>(
    ctx: Context,
    entity: EntityRef,
    activity: Activity<Method, Ids>,
    method: Method,
    ids: Ids,
    options: StartOptions = {},
  ): Promise<ActivityHandle> {
    throwIfDone(ctx);
    if (this.#stopping !== undefined) throw new EngineStoppedError();
    checkEntity(entity);
    const process = processOf(activity, method, ids);
    const key = { entity, name: nameOf(activity, options) };
    this.#tasks.check(key);
    const task = new Task(this.#host, key, process);
    this.#tasks.add(task);
    task.rehome();
    await task.claim(ctx);
    try {
      throwIfDone(ctx);
    } catch (error) {
      await task.stop();
      throw error;
    }
    return task;
  }

  async #stop(grace: number): Promise<void> {
    this.#peers[Symbol.dispose]();
    const { clock, policy } = this.#host;
    const tasks = this.#tasks.all();
    const late = Promise.withResolvers<void>();
    using _ = clock.after(grace, late.resolve);
    await Promise.race([Promise.all([policy.stop(), ...tasks.map((task) => task.stop())]), late.promise]);
    for (const task of tasks) {
      task.abandon();
      this.#tasks.delete(task);
    }
  }
}

function turnsOf(limitOf: (kind: EntityKind) => number): Readonly<Record<EntityKind, LimitFunction>> {
  const turns = entityKinds.map((kind) => [kind, pLimit(limitOf(kind))] as const);
  return Object.fromEntries(turns) as Record<EntityKind, LimitFunction>;
}

/** @throws {InvalidActivityError} */
function checkEntity(entity: EntityRef): void {
  if ('registry' in entity) check('registry', entity.registry, RegistryName);
  if ('repoId' in entity) check('repoId', entity.repoId, Uuid);
  if ('workflowId' in entity) check('workflowId', entity.workflowId, Uuid);
}

function check(field: string, value: string, schema: typeof RegistryName | typeof Uuid): void {
  const { error } = schema.safeParse(value);
  if (error !== undefined) throw new InvalidActivityError(field, error.issues[0]?.message ?? 'is invalid');
}
