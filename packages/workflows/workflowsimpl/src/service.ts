import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import type { Fact, Journal } from '@samovar/journal';
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
  type Workflow,
  WorkflowNotFoundError,
  type Workflows,
  workflowIndexStream,
  workflowStream,
} from '@samovar/workflows';
import { v7 } from 'uuid';
import { begin, cancel, checkFinished, commit, complete, progress, tell, type WorkflowState } from './workflow.ts';
import { type Indexed, index, markErased, type OfWork, unindex, type WorkflowIndex } from './workflowindex.ts';

type Name = Pick<Workflow, 'registry' | 'workflowId'>;

/** Workflows on streams: one for each, and one for each registry that says which there are. */
export class WorkflowsService implements Workflows {
  readonly #bus: Bus;
  readonly #indexes: Journal<WorkflowIndex>;
  readonly #workflows: Journal<WorkflowState>;

  constructor(bus: Bus, indexes: Journal<WorkflowIndex>, workflows: Journal<WorkflowState>) {
    this.#bus = bus;
    this.#indexes = indexes;
    this.#workflows = workflows;
  }

  async beginWorkflow(ctx: Context, command: BeginWorkflowCommand): Promise<Workflow> {
    const { registry, work, workflowId = Uuid.parse(v7()) } = BeginWorkflowCommand.parse(command);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry });
    const of = { registry, workflowId, work };
    // Work that has begun may have changed the repository: it is not asked for again.
    if ((await this.#find(ctx, of)) === undefined) await this.#checkRepo(ctx, of);
    while (!(await this.#index(ctx, of))) await this.#eraseLeftover(ctx, of);
    return await this.#change(ctx, of, () => []);
  }

  async progressWorkflow(ctx: Context, command: ProgressWorkflowCommand): Promise<void> {
    const { step, details, ...name } = ProgressWorkflowCommand.parse(command);
    await this.#change(ctx, name, (state, of) => progress(state, of, { step, details }));
  }

  async completeWorkflow(ctx: Context, command: CompleteWorkflowCommand): Promise<Workflow> {
    const { outcome, ...name } = CompleteWorkflowCommand.parse(command);
    return await this.#change(ctx, name, (state, of) => complete(state, of, outcome));
  }

  async commitWorkflow(ctx: Context, command: CommitWorkflowCommand): Promise<void> {
    await this.#change(ctx, CommitWorkflowCommand.parse(command), commit);
  }

  async cancelWorkflow(ctx: Context, command: CancelWorkflowCommand): Promise<void> {
    await this.#change(ctx, CancelWorkflowCommand.parse(command), cancel);
  }

  async deleteWorkflow(ctx: Context, command: DeleteWorkflowCommand): Promise<void> {
    const name = DeleteWorkflowCommand.parse(command);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry: name.registry });
    const indexed = await this.#find(ctx, name);
    const workflow = indexed && (await this.#load(ctx, indexed));
    if (indexed !== undefined && workflow !== undefined) {
      checkFinished(workflow);
      await this.#indexes.change(ctx, workflowIndexStream(name.registry), (state) => unindex(state, indexed));
    }
    await this.#eraseLeftover(ctx, name);
  }

  async getWorkflow(ctx: Context, query: GetWorkflowQuery): Promise<Workflow> {
    const name = GetWorkflowQuery.parse(query);
    const indexed = await this.#find(ctx, name);
    const workflow = indexed && (await this.#load(ctx, indexed));
    if (workflow === undefined) throw notFound(name);
    return workflow;
  }

  async listWorkflows(ctx: Context, query: ListWorkflowsQuery): Promise<Workflow[]> {
    const { registry } = ListWorkflowsQuery.parse(query);
    await this.#bus.dispatch(ctx, GetRegistryQuery, { registry });
    const { state } = await this.#indexes.load(ctx, workflowIndexStream(registry));
    const found: Workflow[] = [];
    for (const indexed of [...state.workflows.values()].reverse()) {
      const workflow = await this.#load(ctx, indexed);
      if (workflow !== undefined) found.push(workflow);
    }
    return found;
  }

  /** @throws {RepoNotFoundError} @throws {RepoArchivedError} */
  async #checkRepo(ctx: Context, { registry, work }: OfWork): Promise<void> {
    if (work.type !== 'ArchiveRepo') return;
    const { repoId } = work;
    const repo = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId });
    if (repo.registry !== registry) throw new RepoNotFoundError(repoId);
    if (repo.archive !== null) throw new RepoArchivedError(repoId, repo.archive.path);
  }

  /** False: something is left of a workflow of the same id, and has to be erased first. @throws {WorkflowExistsError} */
  async #index(ctx: Context, of: OfWork): Promise<boolean> {
    const { state } = await this.#indexes.change(ctx, workflowIndexStream(of.registry), (state) => index(state, of));
    return !state.leftovers.has(of.workflowId);
  }

  async #eraseLeftover(ctx: Context, { registry, workflowId }: Name): Promise<void> {
    const stream = workflowIndexStream(registry);
    const leftover = (await this.#indexes.load(ctx, stream)).state.leftovers.get(workflowId);
    if (leftover === undefined) return;
    await this.#workflows.erase(ctx, streamOf(leftover));
    await this.#indexes.change(ctx, stream, (state) => markErased(state, leftover));
  }

  /** Has the workflow begin if it has not, then changes it. Resolves with it as it is thereafter. @throws {WorkflowNotFoundError} */
  async #change(ctx: Context, name: Name, decide: (state: WorkflowState, of: OfWork) => Fact[]): Promise<Workflow> {
    const indexed = await this.#find(ctx, name);
    if (indexed === undefined) throw notFound(name);
    const { of } = indexed;
    const stream = streamOf(of);
    const { isBegun } = (await this.#workflows.load(ctx, stream)).state;
    if (!isBegun) {
      if (!(await this.#isThere(ctx, indexed))) throw notFound(name);
      await this.#workflows.change(ctx, stream, (state) => begin(state, of));
    }
    const { state } = await this.#workflows.change(ctx, stream, (state) => {
      if (!state.isBegun) throw notFound(name);
      return decide(state, of);
    });
    return tell(indexed, state);
  }

  /** undefined: it has been deleted since it was looked up. One without events is yet to begin. */
  async #load(ctx: Context, indexed: Indexed): Promise<Workflow | undefined> {
    const { state } = await this.#workflows.load(ctx, streamOf(indexed.of));
    if (state.isBegun || (await this.#isThere(ctx, indexed))) return tell(indexed, state);
    return undefined;
  }

  async #find(ctx: Context, { registry, workflowId }: Name): Promise<Indexed | undefined> {
    const { state } = await this.#indexes.load(ctx, workflowIndexStream(registry));
    return state.workflows.get(workflowId);
  }

  async #isThere(ctx: Context, { of, id }: Indexed): Promise<boolean> {
    return (await this.#find(ctx, of))?.id === id;
  }
}

function streamOf({ registry, workflowId, work }: OfWork): string {
  return workflowStream(registry, workflowId, work);
}

function notFound({ registry, workflowId }: Name): WorkflowNotFoundError {
  return new WorkflowNotFoundError(registry, workflowId);
}
