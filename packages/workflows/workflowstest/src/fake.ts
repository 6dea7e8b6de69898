import { isDeepStrictEqual } from 'node:util';
import type { Bus } from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import { GetRegistryQuery } from '@samovar/registry';
import { GetRepoQuery, RepoArchivedError, RepoNotFoundError, Uuid } from '@samovar/repos';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  CommitWorkflowCommand,
  CompleteWorkflowCommand,
  DeleteWorkflowCommand,
  GetWorkflowQuery,
  ListWorkflowsQuery,
  ProgressWorkflowCommand,
  type Work,
  type Workflow,
  WorkflowExistsError,
  WorkflowNotFoundError,
  WorkflowStateError,
  type Workflows,
} from '@samovar/workflows';

type Name = Pick<Workflow, 'registry' | 'workflowId'>;

/** Workflows in memory: they begin, go on, end and fail as real ones do, and nothing is on any stream. */
export class FakeWorkflows implements Workflows {
  readonly #bus: Bus;
  /** In the order in which they were begun. */
  readonly #workflows = new Map<string, Workflow>();

  /** Answers all commands and queries on `bus`, and asks there for registries and repositories. */
  constructor(bus: Bus) {
    this.#bus = bus;
    bus.addHandler(BeginWorkflowCommand, (ctx, command) => this.beginWorkflow(ctx, command));
    bus.addHandler(ProgressWorkflowCommand, (ctx, command) => this.progressWorkflow(ctx, command));
    bus.addHandler(CompleteWorkflowCommand, (ctx, command) => this.completeWorkflow(ctx, command));
    bus.addHandler(CommitWorkflowCommand, (ctx, command) => this.commitWorkflow(ctx, command));
    bus.addHandler(CancelWorkflowCommand, (ctx, command) => this.cancelWorkflow(ctx, command));
    bus.addHandler(DeleteWorkflowCommand, (ctx, command) => this.deleteWorkflow(ctx, command));
    bus.addHandler(GetWorkflowQuery, (ctx, query) => this.getWorkflow(ctx, query));
    bus.addHandler(ListWorkflowsQuery, (ctx, query) => this.listWorkflows(ctx, query));
  }

  async beginWorkflow(ctx: Context, command: BeginWorkflowCommand): Promise<Workflow> {
    const { registry, work, workflowId = Uuid.parse(crypto.randomUUID()) } = BeginWorkflowCommand.parse(command);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry });
    const name = { registry, workflowId };
    if (!this.#workflows.has(key(name))) await this.#checkRepo(ctx, registry, work);
    const existing = this.#workflows.get(key(name));
    if (existing === undefined) return this.#store(newWorkflow(name, work));
    if (isDeepStrictEqual(existing.work, work)) return existing;
    throw new WorkflowExistsError(registry, workflowId);
  }

  async progressWorkflow(ctx: Context, command: ProgressWorkflowCommand): Promise<void> {
    const { step, details, ...name } = ProgressWorkflowCommand.parse(command);
    const workflow = this.#get(ctx, name);
    if (workflow.progress.some((done) => done.step === step)) return;
    if (workflow.outcome !== null) throw new WorkflowStateError(name.workflowId, workflow.state, `${step} is too late`);
    this.#store({ ...workflow, progress: [...workflow.progress, { step, details, at: now() }] });
  }

  async completeWorkflow(ctx: Context, command: CompleteWorkflowCommand): Promise<Workflow> {
    const { outcome, ...name } = CompleteWorkflowCommand.parse(command);
    const workflow = this.#get(ctx, name);
    return workflow.outcome === null ? this.#store({ ...workflow, state: 'completed', outcome }) : workflow;
  }

  async commitWorkflow(ctx: Context, command: CommitWorkflowCommand): Promise<void> {
    const workflow = this.#get(ctx, CommitWorkflowCommand.parse(command));
    const { workflowId, state } = workflow;
    if (state === 'running') throw new WorkflowStateError(workflowId, state, 'complete it first');
    if (state === 'completed') this.#store({ ...workflow, state: 'finished', finishedAt: now() });
  }

  async cancelWorkflow(ctx: Context, command: CancelWorkflowCommand): Promise<void> {
    const workflow = this.#get(ctx, CancelWorkflowCommand.parse(command));
    if (workflow.state === 'running') this.#store({ ...workflow, isCanceling: true });
  }

  async deleteWorkflow(ctx: Context, command: DeleteWorkflowCommand): Promise<void> {
    const name = DeleteWorkflowCommand.parse(command);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry: name.registry });
    const { state = 'finished' } = this.#workflows.get(key(name)) ?? {};
    if (state !== 'finished') throw new WorkflowStateError(name.workflowId, state, 'it is deleted when finished');
    this.#workflows.delete(key(name));
  }

  async getWorkflow(ctx: Context, query: GetWorkflowQuery): Promise<Workflow> {
    return this.#get(ctx, GetWorkflowQuery.parse(query));
  }

  async listWorkflows(ctx: Context, query: ListWorkflowsQuery): Promise<Workflow[]> {
    const { registry } = ListWorkflowsQuery.parse(query);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry });
    return [...this.#workflows.values()].filter((workflow) => workflow.registry === registry).reverse();
  }

  async #checkRepo(ctx: Context, registry: string, work: Work): Promise<void> {
    if (work.type !== 'ArchiveRepo') return;
    const repo = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId: work.repoId });
    if (repo.registry !== registry) throw new RepoNotFoundError(work.repoId);
    if (repo.archive !== null) throw new RepoArchivedError(work.repoId, repo.archive.path);
  }

  #get(ctx: Context, name: Name): Workflow {
    throwIfDone(ctx);
    const found = this.#workflows.get(key(name));
    if (found === undefined) throw new WorkflowNotFoundError(name.registry, name.workflowId);
    return found;
  }

  #store(workflow: Workflow): Workflow {
    this.#workflows.set(key(workflow), workflow);
    return workflow;
  }
}

function key({ registry, workflowId }: Name): string {
  return `${registry} ${workflowId}`;
}

function now(): string {
  return new Date().toISOString();
}

function newWorkflow(name: Name, work: Work): Workflow {
  const state = { state: 'running' as const, isCanceling: false, progress: [], outcome: null };
  return { ...name, work, ...state, begunAt: now(), finishedAt: null };
}
