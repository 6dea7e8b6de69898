import type { Context } from '@samovar/context';
import {
  CommitWorkflowCommand,
  CompleteWorkflowCommand,
  GetWorkflowQuery,
  ProgressWorkflowCommand,
  type Workflow,
  type WorkOutcome,
} from '@samovar/workflows';
import { isError } from './errors.ts';
import type { Dispatcher } from './tools.ts';

/** What tells a workflow from all others. */
export type WorkflowName = Pick<Workflow, 'registry' | 'workflowId'>;

/** The workflow as it is now; undefined: it is deleted. */
export async function findWorkflow(
  bus: Dispatcher,
  ctx: Context,
  { registry, workflowId }: WorkflowName,
): Promise<Workflow | undefined> {
  try {
    return await bus.dispatch(ctx, GetWorkflowQuery, { registry, workflowId });
  } catch (error) {
    if (isError(error, 'workflows.notFound')) return undefined;
    throw error;
  }
}

/** Records a step as done. Of a workflow that is over by now, or deleted, nobody wants to know it. */
export async function progressWorkflow(
  bus: Dispatcher,
  ctx: Context,
  { registry, workflowId }: WorkflowName,
  step: string,
  details: ProgressWorkflowCommand['details'],
): Promise<void> {
  try {
    await bus.dispatch(ctx, ProgressWorkflowCommand, { registry, workflowId, step, details });
  } catch (error) {
    if (!isError(error, 'workflows.notFound', 'workflows.wrongState')) throw error;
  }
}

/** Records the outcome, unless there is one. */
export async function completeWorkflow(
  bus: Dispatcher,
  ctx: Context,
  { registry, workflowId }: WorkflowName,
  outcome: WorkOutcome,
): Promise<void> {
  await bus.dispatch(ctx, CompleteWorkflowCommand, { registry, workflowId, outcome });
}

/** Records that nothing is left to be done. */
export async function commitWorkflow(
  bus: Dispatcher,
  ctx: Context,
  { registry, workflowId }: WorkflowName,
): Promise<void> {
  await bus.dispatch(ctx, CommitWorkflowCommand, { registry, workflowId });
}
