import type { Context } from '@samovar/context';
import { type ArgsOf, command, query } from '@samovar/message';
import { RegistryName, Uuid } from '@samovar/repos';
import { z } from 'zod';
import { Progress, Work, Workflow, WorkOutcome } from './workflow.ts';

export { WorkflowExistsError, WorkflowNotFoundError, WorkflowStateError } from './errors.ts';
export {
  WorkflowBegun,
  WorkflowCancelRequested,
  WorkflowCommitted,
  WorkflowCompleted,
  WorkflowErased,
  WorkflowIndexed,
  WorkflowProgressed,
  WorkflowUnindexed,
  workflowIndexStream,
  workflowStream,
} from './events.ts';
export { Progress, Work, Workflow, WorkOutcome } from './workflow.ts';

const OfRegistry = z.object({ registry: RegistryName.default('main') });
const OfWorkflow = OfRegistry.extend({ workflowId: Uuid });

/** Begins a workflow. Beginning it again with the same id and work leaves it as it is. */
export const BeginWorkflowCommand = command(
  'workflows.BeginWorkflowCommand',
  OfRegistry.extend({
    work: Work,
    /** Default: a new one. Choose one to be able to repeat the command. That of a deleted workflow may be used again. */
    workflowId: Uuid.optional(),
  }),
  Workflow,
);
export type BeginWorkflowCommand = ArgsOf<typeof BeginWorkflowCommand>;

/** Records a step of the work as done. Recording one again changes nothing. */
export const ProgressWorkflowCommand = command(
  'workflows.ProgressWorkflowCommand',
  OfWorkflow.extend(Progress.pick({ step: true, details: true }).shape),
);
export type ProgressWorkflowCommand = ArgsOf<typeof ProgressWorkflowCommand>;

/** Records the outcome of the work. The first outcome counts: completing again changes nothing. */
export const CompleteWorkflowCommand = command(
  'workflows.CompleteWorkflowCommand',
  OfWorkflow.extend({ outcome: WorkOutcome }),
  Workflow,
);
export type CompleteWorkflowCommand = ArgsOf<typeof CompleteWorkflowCommand>;

/** Records that what follows from the outcome is done. Committing again changes nothing. */
export const CommitWorkflowCommand = command('workflows.CommitWorkflowCommand', OfWorkflow);
export type CommitWorkflowCommand = ArgsOf<typeof CommitWorkflowCommand>;

/** Asks for the end of the work: whoever does it stops, and cleans up. Of one that is completed it changes nothing. */
export const CancelWorkflowCommand = command('workflows.CancelWorkflowCommand', OfWorkflow);
export type CancelWorkflowCommand = ArgsOf<typeof CancelWorkflowCommand>;

/** Deletes a finished workflow with all its events. Deleting one that is not there changes nothing. */
export const DeleteWorkflowCommand = command('workflows.DeleteWorkflowCommand', OfWorkflow);
export type DeleteWorkflowCommand = ArgsOf<typeof DeleteWorkflowCommand>;

export const GetWorkflowQuery = query('workflows.GetWorkflowQuery', OfWorkflow, Workflow);
export type GetWorkflowQuery = ArgsOf<typeof GetWorkflowQuery>;

/** The workflows of a registry, the one begun last first. */
export const ListWorkflowsQuery = query('workflows.ListWorkflowsQuery', OfRegistry, z.array(Workflow));
export type ListWorkflowsQuery = ArgsOf<typeof ListWorkflowsQuery>;

/**
 * Workflows: work that takes long, and goes on after a crash. Each has a stream of its own, and the registry an index of
 * them. The work itself is done by activities, which record here how far it is.
 */
export abstract class Workflows {
  /**
   * Interrupted, it leaves at most a workflow that is there, running, and has no events yet: beginning it again, or
   * whatever else changes it, mends that. One that is there is not checked against its repository again.
   *
   * @throws {InvalidMessageError} @throws {RegistryNotFoundError}
   * @throws {WorkflowExistsError} if the registry has a workflow of this id that does other work.
   * @throws {RepoNotFoundError} if the registry has no such repository. @throws {RepoArchivedError}
   */
  abstract beginWorkflow(ctx: Context, command: BeginWorkflowCommand): Promise<Workflow>;

  /**
   * Steps may still be recorded while it is canceling.
   *
   * @throws {InvalidMessageError} @throws {WorkflowNotFoundError}
   * @throws {WorkflowStateError} if it is completed, and the step not recorded.
   */
  abstract progressWorkflow(ctx: Context, command: ProgressWorkflowCommand): Promise<void>;

  /** Resolves with the workflow as it is thereafter. @throws {InvalidMessageError} @throws {WorkflowNotFoundError} */
  abstract completeWorkflow(ctx: Context, command: CompleteWorkflowCommand): Promise<Workflow>;

  /** @throws {InvalidMessageError} @throws {WorkflowNotFoundError} @throws {WorkflowStateError} if it is running. */
  abstract commitWorkflow(ctx: Context, command: CommitWorkflowCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {WorkflowNotFoundError} */
  abstract cancelWorkflow(ctx: Context, command: CancelWorkflowCommand): Promise<void>;

  /**
   * Interrupted, it leaves at most events of a workflow that is not there: deleting it again erases them, and so does
   * beginning another of its id. Of one that is begun before the deletion settles, the first events may be erased too.
   *
   * @throws {InvalidMessageError} @throws {RegistryNotFoundError} @throws {WorkflowStateError} if it is not finished.
   */
  abstract deleteWorkflow(ctx: Context, command: DeleteWorkflowCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {WorkflowNotFoundError} */
  abstract getWorkflow(ctx: Context, query: GetWorkflowQuery): Promise<Workflow>;

  /** @throws {InvalidMessageError} @throws {RegistryNotFoundError} */
  abstract listWorkflows(ctx: Context, query: ListWorkflowsQuery): Promise<Workflow[]>;
}
