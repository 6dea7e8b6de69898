import type { ActivityHandle } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { dataOf, type Event } from '@samovar/eda';
import { ListWorkflowsQuery, type Workflow, WorkflowIndexed, WorkflowUnindexed } from '@samovar/workflows';
import { ArchiveRepo } from './archiverepo.ts';
import { DeleteFinished } from './deletefinished.ts';
import { follow } from './following.ts';
import { MendWorkflows } from './mendworkflows.ts';
import { PingRegistry } from './pingregistry.ts';
import { PingTimer } from './pingtimer.ts';
import { forEach, Started } from './started.ts';
import { isWanted, type Tools } from './tools.ts';
import { findWorkflow } from './workflow.ts';

const keeping = 'keeping';

/** Starts the activities of a registry's workflows, of all that have not finished and of each that is begun. */
export class WorkflowStarts {
  readonly #tools: Tools;
  readonly #registry: string;
  readonly #ping: PingRegistry;
  readonly #pingTimer: PingTimer;
  readonly #started = new Started();

  constructor(tools: Tools, registry: string) {
    this.#tools = tools;
    this.#registry = registry;
    this.#ping = new PingRegistry(tools.bus);
    this.#pingTimer = new PingTimer(tools.bus);
  }

  /** Until `ctx` is done; then it stops what it has started. @throws why `ctx` is done. */
  async follow(ctx: Context): Promise<never> {
    const entity = { kind: 'registryWorkflowIndex', registry: this.#registry } as const;
    try {
      return await follow(ctx, this.#tools, entity, {
        startAll: () => this.#startAll(ctx),
        handle: (event) => this.#handle(ctx, event),
      });
    } finally {
      await this.#started.stopAll();
    }
  }

  async #startAll(ctx: Context): Promise<void> {
    const registry = this.#registry;
    await this.#started.start(keeping, (stack) => this.#startKeeping(ctx, stack));
    const workflows = await this.#tools.bus.dispatch(ctx, ListWorkflowsQuery, { registry });
    await forEach(workflows, (workflow) => this.#start(ctx, workflow));
  }

  /** What is done about all of them. */
  async #startKeeping(ctx: Context, stack: AsyncDisposableStack): Promise<void> {
    const { bus, engines } = this.#tools;
    const registry = this.#registry;
    if (isWanted(this.#tools, 'registryWorkflowIndex')) {
      const mending = await engines.lazy.startRegistryWorkflowIndexActivity(ctx, registry, new MendWorkflows(bus));
      stack.defer(() => mending.stop());
    }
    if (isWanted(this.#tools, 'registry')) {
      const deleting = await engines.cron.startRegistryActivity(ctx, registry, new DeleteFinished(bus));
      stack.defer(() => deleting.stop());
    }
  }

  async #handle(ctx: Context, event: Event): Promise<void> {
    if (event.is(WorkflowIndexed.name)) {
      const workflow = await findWorkflow(this.#tools.bus, ctx, dataOf(WorkflowIndexed, event));
      if (workflow !== undefined) await this.#start(ctx, workflow);
    }
    if (event.is(WorkflowUnindexed.name)) await this.#started.stop(dataOf(WorkflowUnindexed, event).workflowId);
  }

  async #start(ctx: Context, { workflowId, work, state }: Workflow): Promise<void> {
    const kind = work.type === 'ArchiveRepo' ? 'repoWorkflow' : 'registryWorkflow';
    if (state === 'finished' || !isWanted(this.#tools, kind)) return;
    await this.#started.start(workflowId, async (stack) => {
      const working = await this.#startWork(ctx, { workflowId, work }, stack);
      stack.defer(() => working.stop());
      // What is done is not needed any more, and there may be much of it.
      void working.ended.then(() => this.#started.stop(workflowId));
    });
  }

  /** What does the work; what serves it is added to `stack`. */
  async #startWork(
    ctx: Context,
    { workflowId, work }: Pick<Workflow, 'workflowId' | 'work'>,
    stack: AsyncDisposableStack,
  ): Promise<ActivityHandle> {
    const { bus, engines } = this.#tools;
    const registry = this.#registry;
    if (work.type === 'ArchiveRepo') {
      const archive = new ArchiveRepo(bus, registry);
      return await engines.lazy.startRepoWorkflowActivity(ctx, work.repoId, workflowId, archive);
    }
    const timer = await engines.lazy.startRegistryWorkflowActivity(ctx, registry, workflowId, this.#pingTimer);
    stack.defer(() => timer.stop());
    return await engines.lazy.startRegistryWorkflowActivity(ctx, registry, workflowId, this.#ping);
  }
}
