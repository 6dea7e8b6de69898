import { setTimeout as sleep } from 'node:timers/promises';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  DeleteWorkflowCommand,
  GetWorkflowQuery,
  ListWorkflowsQuery,
  type Work,
  type Workflow,
} from '@samovar/workflows';
import { WorkflowFailedError } from './errors.ts';
import type { Output } from './output.ts';
import type { RemoteServer } from './remote.ts';

/** Milliseconds between looks at a workflow that is waited for. */
const lookEvery = 250;

export interface WorkflowsOptions {
  readonly registry: string;
  /** Follow the workflow to its end. */
  readonly wait: boolean;
  /** Write JSON documents instead of text. */
  readonly json: boolean;
}

/** Begins a workflow. @throws {WorkflowFailedError} if it is waited for, and does not succeed. */
export async function startWorkflow(
  server: RemoteServer,
  output: Output,
  work: Work,
  { registry, wait, json }: WorkflowsOptions,
): Promise<void> {
  const workflow = await server.call(BeginWorkflowCommand, { registry, work });
  if (wait) await follow(server, output, workflow, json);
  else if (json) output.line(JSON.stringify(workflow, null, 2));
  else {
    output.line(`${workflow.workflowId} has begun`);
    output.line(`samovar workflow status ${workflow.workflowId} tells how far it is`);
  }
}

/** Tells of a workflow, or of all. @throws {WorkflowFailedError} if it is waited for, and does not succeed. */
export async function tellWorkflows(
  server: RemoteServer,
  output: Output,
  workflowId: string | undefined,
  { registry, wait, json }: WorkflowsOptions,
): Promise<void> {
  if (workflowId !== undefined) {
    const workflow = await server.call(GetWorkflowQuery, {
      registry,
      workflowId: workflowId as Workflow['workflowId'],
    });
    if (wait) await follow(server, output, workflow, json);
    else if (json) output.line(JSON.stringify(workflow, null, 2));
    else for (const line of linesOf(workflow)) output.line(line);
    return;
  }
  const workflows = await server.call(ListWorkflowsQuery, { registry });
  if (json) output.line(JSON.stringify({ workflows }, null, 2));
  else if (workflows.length === 0) output.line(`no workflow in registry ${registry}`);
  else for (const workflow of workflows) output.line(lineOf(workflow));
}

/** Asks for the end of a workflow. */
export async function cancelWorkflow(
  server: RemoteServer,
  output: Output,
  workflowId: string,
  options: WorkflowsOptions,
): Promise<void> {
  const of = { registry: options.registry, workflowId: workflowId as Workflow['workflowId'] };
  await server.call(CancelWorkflowCommand, of);
  await tellWorkflows(server, output, workflowId, options);
}

/** Deletes a finished workflow. */
export async function deleteWorkflow(
  server: RemoteServer,
  output: Output,
  workflowId: string,
  { registry }: Pick<WorkflowsOptions, 'registry'>,
): Promise<void> {
  await server.call(DeleteWorkflowCommand, { registry, workflowId: workflowId as Workflow['workflowId'] });
  output.line(`${workflowId} is deleted`);
}

/** Tells each step as it is done, then how it has ended. */
async function follow(server: RemoteServer, output: Output, begun: Workflow, json: boolean): Promise<void> {
  let workflow = begun;
  for (let told = 0; ; ) {
    if (!json) for (const { step } of workflow.progress.slice(told)) output.line(`${workflow.workflowId}: ${step}`);
    told = workflow.progress.length;
    if (workflow.state === 'finished') break;
    await sleep(lookEvery);
    const { registry, workflowId } = workflow;
    workflow = await server.call(GetWorkflowQuery, { registry, workflowId });
  }
  if (json) output.line(JSON.stringify(workflow, null, 2));
  else for (const line of [lineOf(workflow), ...outcomeLines(workflow)]) output.line(line);
  if (workflow.outcome?.kind !== 'succeeded') throw new WorkflowFailedError(workflow.workflowId, endOf(workflow));
}

function* linesOf(workflow: Workflow): Iterable<string> {
  yield lineOf(workflow);
  for (const { step, at } of workflow.progress) yield `  ${at} ${step}`;
  yield* outcomeLines(workflow);
}

function* outcomeLines({ outcome }: Workflow): Iterable<string> {
  if (outcome?.kind === 'failed') yield `  failed: ${outcome.error}`;
  if (outcome?.kind !== 'succeeded') return;
  for (const [name, value] of Object.entries(outcome.details)) yield `  ${name}: ${textOf(value)}`;
}

function lineOf(workflow: Workflow): string {
  const { workflowId, work, begunAt } = workflow;
  const on = work.type === 'ArchiveRepo' ? ` of ${work.repoId}` : '';
  return `${workflowId} ${work.type}${on}: ${endOf(workflow)}, begun ${begunAt}`;
}

function endOf({ state, outcome, isCanceling }: Workflow): string {
  if (outcome === null) return isCanceling ? 'canceling' : state;
  return state === 'finished' ? outcome.kind : `${outcome.kind}, finishing`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
