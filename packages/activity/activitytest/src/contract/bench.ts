import { setImmediate } from 'node:timers/promises';
import {
  type ActivityEngine,
  type ActivityHandle,
  type ActivityKey,
  type ActivityState,
  type EntityKind,
  type EntityRef,
  endOfStream,
  type Lease,
  type Outcome,
  type Tail,
} from '@samovar/activity';
import type { EngineOptions } from '@samovar/activitycore';
import { background, CanceledError, type Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { TestClock } from '../clock.ts';
import type { FakeLeases } from '../leases.ts';
import { RecordingLogger } from '../logger.ts';
import type { World } from './world.ts';

export type MakeEngine = (options: EngineOptions) => ActivityEngine;

/** How an engine differs from others. */
export interface EngineTraits {
  /** Milliseconds until one that sees no news by itself looks for them: an hour or more, so as not to mingle with pauses. */
  readonly everyMs?: number;
  /** Whether the streams that it gives to activities wait for more. Default: false. */
  readonly watches?: boolean;
}

export const registry: EntityRef = { kind: 'registry', registry: 'main' };
export const repo: EntityRef = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') };
export const otherRepo: EntityRef = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000002') };

/** An activity of any entity. */
export type AnyActivity = (ctx: Context, tail: Tail, events: EventStream) => Promise<Outcome>;

/** An engine on a bench, with all that it needs, and a clock that stands still. */
export class Bench implements AsyncDisposable {
  readonly clock = new TestClock();
  readonly logger = new RecordingLogger();
  readonly traits: EngineTraits;
  readonly world: World;
  readonly #make: MakeEngine;
  readonly #engines: ActivityEngine[] = [];

  constructor(make: MakeEngine, traits: EngineTraits, world: World) {
    this.#make = make;
    this.traits = traits;
    this.world = world;
  }

  /** An engine of another process. */
  engine(leases: EngineOptions['leases'], limits: Partial<Record<EntityKind, number>> = {}): ActivityEngine {
    const { clock, logger } = this;
    const engine = this.#make({ events: this.world.events, leases, clock, logger, limits });
    this.#engines.push(engine);
    return engine;
  }

  /** Appends events, and has the engines see them. */
  async news(entity: EntityRef, ...types: readonly string[]): Promise<readonly Tail[]> {
    const ids = await this.world.append(entity, ...types);
    await this.#turn();
    this.clock.advance(this.traits.everyMs ?? 0);
    return ids;
  }

  /** Waits, without letting the clock's time pass. */
  async until(condition: () => boolean, what = condition.toString()): Promise<void> {
    const end = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
      await setImmediate();
    }
  }

  state(handle: ActivityHandle, ...states: readonly ActivityState[]): Promise<void> {
    return this.until(() => states.includes(handle.status().state), `${handle.status().state} is ${states.join()}`);
  }

  /** Lets time pass until the activity is tried again. */
  async retry(handle: ActivityHandle): Promise<void> {
    await this.state(handle, 'retrying');
    this.clock.advance((handle.status().nextRun?.getTime() ?? 0) - this.clock.now());
  }

  /** Gives everything that could go on the time to do so. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.#turn();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.world[Symbol.asyncDispose]();
  }

  async #turn(): Promise<void> {
    await setImmediate();
  }
}

/** Starts an activity of an entity of any kind. */
export function start(
  engine: ActivityEngine,
  entity: EntityRef,
  activity: AnyActivity,
  options = { name: 'tea' },
  ctx = background,
): Promise<ActivityHandle> {
  switch (entity.kind) {
    case 'registry':
      return engine.startRegistryActivity(ctx, entity.registry, (ctx, _, ...rest) => activity(ctx, ...rest), options);
    case 'registryWorkflowIndex':
      return engine.startRegistryWorkflowIndexActivity(
        ctx,
        entity.registry,
        (ctx, _, ...rest) => activity(ctx, ...rest),
        options,
      );
    case 'registryWorkflow':
      return engine.startRegistryWorkflowActivity(
        ctx,
        entity.registry,
        entity.workflowId,
        (ctx, _, __, ...rest) => activity(ctx, ...rest),
        options,
      );
    case 'repo':
      return engine.startRepoActivity(ctx, entity.repoId, (ctx, _, ...rest) => activity(ctx, ...rest), options);
    case 'repoWorkflow':
      return engine.startRepoWorkflowActivity(
        ctx,
        entity.repoId,
        entity.workflowId,
        (ctx, _, __, ...rest) => activity(ctx, ...rest),
        options,
      );
  }
}

/** An activity that answers, each time it is run, with the next of `answers`, and thereafter with the end of the stream. */
export class Answering {
  /** The tails that it was run with. */
  readonly tails: Tail[] = [];
  readonly #answers: readonly ((tail: Tail, events: EventStream) => Outcome | Promise<Outcome>)[];

  constructor(...answers: readonly ((tail: Tail, events: EventStream) => Outcome | Promise<Outcome>)[]) {
    this.#answers = answers;
  }

  readonly run: AnyActivity = async (ctx, tail, events) => {
    const answer = this.#answers[this.tails.length];
    this.tails.push(tail);
    if (answer !== undefined) return await answer(tail, events);
    return await endOf(ctx, tail, events);
  };
}

/** Reads what there is, or comes until the stream ends. */
export async function endOf(_: Context, tail: Tail, events: EventStream): Promise<Outcome> {
  let last = tail;
  try {
    for await (const { id } of events) last = id;
  } catch {
    // Only the end of the context can end it.
  }
  return endOfStream(last);
}

/** Runs until its context is done. */
export const hanging: AnyActivity = (ctx) =>
  new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new CanceledError())));

/** The first of the events. */
export async function first(events: EventStream): Promise<Tail> {
  for await (const { id } of events.history()) return id;
  return null;
}

/** The activity's lease, for another worker; undefined while one has it. */
export function leaseOf(leases: FakeLeases, entity: EntityRef, name = 'tea'): Promise<Lease | undefined> {
  const activity: ActivityKey = { entity, name };
  return leases.another().claim(background, activity);
}
