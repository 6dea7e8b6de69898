import { setImmediate } from 'node:timers/promises';
import { type Engines, type EntityRef, entityOf } from '@samovar/activity';
import { type FakeEntityEvents, StepEngine } from '@samovar/activitytest';
import type { AnyCall } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background as ctx } from '@samovar/context';
import { newEvent } from '@samovar/eda';
import { AddRepoCommand, InitRegistryCommand, RemoveRepoCommand, RepoAdded, RepoRemoved } from '@samovar/registry';
import { FakeRegistry } from '@samovar/registrytest';
import {
  MarkRepoArchivedCommand,
  PingRepoCommand,
  type Repo,
  RepoArchived,
  RepoPinged,
  type Uuid,
} from '@samovar/repos';
import { FakeRepos } from '@samovar/repostest';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  CommitWorkflowCommand,
  CompleteWorkflowCommand,
  DeleteWorkflowCommand,
  ProgressWorkflowCommand,
  type Workflow,
  WorkflowIndexed,
  WorkflowUnindexed,
  workflowStream,
} from '@samovar/workflows';
import { FakeWorkflows } from '@samovar/workflowstest';
import type { Tools } from './src/tools.ts';

const registry = 'main';

/** Registries, repositories and workflows in memory, with the events that real ones would append. */
export class Services {
  readonly bus = new FakeBus();
  readonly registry = new FakeRegistry(this.bus);
  readonly repos = new FakeRepos(this.bus);
  readonly workflows = new FakeWorkflows(this.bus);
  readonly #events: FakeEntityEvents;
  readonly #added = new Map<Uuid, Workflow>();
  /** What changes after it is told of before: each once. */
  readonly #told = new Set<string>();

  constructor(events: FakeEntityEvents) {
    this.#events = events;
    this.bus.use(async (ctx, message, args, next) => {
      const result = await next(ctx, args);
      await this.#tell(message, args, result);
      return result;
    });
  }

  async #tell(message: AnyCall, args: unknown, result: unknown): Promise<void> {
    const inMain: EntityRef = { kind: 'registry', registry };
    const index: EntityRef = { kind: 'registryWorkflowIndex', registry };
    if (message === AddRepoCommand) {
      const { repoId, name, path } = result as Repo;
      this.#once(`add ${repoId}`, inMain, () => newEvent(RepoAdded, { registry, repoId, name, path }));
    } else if (message === RemoveRepoCommand) {
      const { repoId } = args as RemoveRepoCommand;
      this.#told.delete(`add ${repoId}`);
      this.#events.append(inMain, newEvent(RepoRemoved, { registry, repoId }));
    } else if (message === PingRepoCommand) {
      const { repoId, workflowId } = args as PingRepoCommand;
      const pinged = () => newEvent(RepoPinged, { registry, repoId, workflowId });
      this.#once(`ping ${repoId} ${workflowId}`, { kind: 'repo', repoId }, pinged);
    } else if (message === MarkRepoArchivedCommand) {
      const { repoId, archive } = args as MarkRepoArchivedCommand;
      this.#once(`mark ${repoId}`, { kind: 'repo', repoId }, () => newEvent(RepoArchived, { repoId, archive }));
    } else if (message === BeginWorkflowCommand) {
      const workflow = result as Workflow;
      const { workflowId, work } = workflow;
      this.#added.set(workflowId, workflow);
      this.#once(`begin ${workflowId}`, index, () => newEvent(WorkflowIndexed, { registry, workflowId, work }));
      this.#tellOf(workflowId, 'WorkflowBegun');
    } else if (message === DeleteWorkflowCommand) {
      const { workflowId } = args as DeleteWorkflowCommand;
      const { work } = this.#added.get(workflowId) as Workflow;
      const unindexed = () => newEvent(WorkflowUnindexed, { registry, workflowId, work });
      this.#once(`delete ${workflowId}`, index, unindexed);
    } else if ([CancelWorkflowCommand, CompleteWorkflowCommand, CommitWorkflowCommand].includes(message as never)) {
      this.#tellOf((args as CommitWorkflowCommand).workflowId, message.name);
    } else if (message === ProgressWorkflowCommand) {
      const { workflowId, step } = args as ProgressWorkflowCommand;
      this.#tellOf(workflowId, step);
    }
  }

  #tellOf(workflowId: Uuid, type: string): void {
    const entity = entityOf(
      workflowStream(registry, workflowId, this.#added.get(workflowId)?.work as Workflow['work']),
    );
    if (entity !== undefined) this.#once(`${workflowId} ${type}`, entity, () => ({ type }));
  }

  #once(what: string, entity: EntityRef, event: () => Parameters<FakeEntityEvents['append']>[1]): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#events.append(entity, event());
  }
}

/** {@link Services} with activities on a {@link StepEngine}, which can be killed amid any of their commands. */
export class World {
  engine = new StepEngine();
  readonly services = new Services(this.engine.events);
  /** What is dispatched next by activities is the last thing they do: before it has an effect, or after. */
  #kill: { after: number; readonly isBefore: boolean } | undefined;
  #isDead = false;

  get bus(): FakeBus {
    return this.services.bus;
  }

  get tools(): Tools {
    const { engine, bus } = this;
    const engines: Engines = { lazy: engine, eager: engine, cron: engine, signal() {} };
    const dispatch: Tools['bus']['dispatch'] = async (ctx, message, args) => {
      if (this.#isDead) throw new Error('dead');
      const isLast = this.#kill !== undefined && this.#kill.after-- === 0;
      if (isLast) this.#isDead = true;
      if (isLast && this.#kill?.isBefore) throw new Error('killed');
      const result = await bus.dispatch(ctx, message, args);
      if (isLast) throw new Error('killed');
      return result;
    };
    return { bus: { dispatch }, engines, events: engine.events, logger: engine.logger };
  }

  /** Whether it was killed. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Makes the registry `main` with repositories that have so many commits; gives their ids. */
  async addRepos(commits: Readonly<Record<string, number>>): Promise<Uuid[]> {
    await this.bus.dispatch(ctx, InitRegistryCommand, { registry });
    const ids: Uuid[] = [];
    for (const [path, count] of Object.entries(commits)) {
      this.services.repos.addRepository(path);
      for (let i = 0; i < count; i++) this.services.repos.commit(path);
      ids.push((await this.bus.dispatch(ctx, AddRepoCommand, { registry, path })).repoId);
    }
    return ids;
  }

  /** Kills at the command after so many others. */
  killAt(after: number, isBefore: boolean): void {
    this.#kill = { after, isBefore };
  }

  /** Whatever activities still dispatch has no effect. */
  die(): void {
    this.#isDead = true;
  }

  /** Another process takes over, from what was stored. */
  async restart(): Promise<void> {
    this.#isDead = true;
    const before = this.engine;
    await before.stop();
    this.engine = new StepEngine(before);
    this.#isDead = false;
    this.#kill = undefined;
  }

  /** Runs all again and again, until nothing comes of it. */
  async settle(): Promise<void> {
    const state = () =>
      JSON.stringify(this.engine.activities().map(({ activity, state, tail }) => [activity, state, tail]));
    const turns = async () => {
      // What was started by the way, or has ended, is known a little later.
      for (let turn = 0; turn < 10; turn++) await setImmediate();
    };
    await turns();
    for (let before = ''; before !== state(); ) {
      before = state();
      await this.engine.step();
      await turns();
    }
  }
}
