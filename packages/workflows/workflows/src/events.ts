import { stream } from '@samovar/eda';
import { type ArgsOf, event } from '@samovar/message';
import { RegistryName, Uuid } from '@samovar/repos';
import { z } from 'zod';
import { Progress, Work, WorkOutcome } from './workflow.ts';

/** The stream that names the workflows of a registry. */
export const workflowIndexStream = (registry: string): string => stream`workflowindex.${registry}`;

/** The stream that holds a workflow's events: beside the registry, or the repository, that the work is about. */
export function workflowStream(registry: string, workflowId: Uuid, work: z.input<typeof Work>): string {
  return work.type === 'ArchiveRepo'
    ? stream`repoworkflows.${work.repoId}.${workflowId}`
    : stream`registryworkflows.${registry}.${workflowId}`;
}

const OfWork = z.object({ registry: RegistryName, workflowId: Uuid, work: Work });
const onIndexStream = { stream: ({ registry }: { registry: string }) => workflowIndexStream(registry) };
const onWorkflowStream = {
  stream: ({ registry, workflowId, work }: z.input<typeof OfWork>) => workflowStream(registry, workflowId, work),
};

/** The registry has a new workflow; its own first event may follow a little later, and comes for sure. */
export const WorkflowIndexed = event('workflows.WorkflowIndexed', OfWork, onIndexStream);
export type WorkflowIndexed = ArgsOf<typeof WorkflowIndexed>;

/** A workflow is deleted; its own stream is erased a little later, which {@link WorkflowErased} then tells. */
export const WorkflowUnindexed = event('workflows.WorkflowUnindexed', OfWork, onIndexStream);
export type WorkflowUnindexed = ArgsOf<typeof WorkflowUnindexed>;

/** Nothing is left of a workflow that was deleted. Where this is missing, deleting it again erases what is left. */
export const WorkflowErased = event('workflows.WorkflowErased', OfWork, onIndexStream);
export type WorkflowErased = ArgsOf<typeof WorkflowErased>;

/** First on the workflow's stream. */
export const WorkflowBegun = event('workflows.WorkflowBegun', OfWork, onWorkflowStream);
export type WorkflowBegun = ArgsOf<typeof WorkflowBegun>;

/** A step of the work is done: each at most once. */
export const WorkflowProgressed = event(
  'workflows.WorkflowProgressed',
  OfWork.extend(Progress.pick({ step: true, details: true }).shape),
  onWorkflowStream,
);
export type WorkflowProgressed = ArgsOf<typeof WorkflowProgressed>;

/** Somebody has asked for the end of the work, at most once. */
export const WorkflowCancelRequested = event('workflows.WorkflowCancelRequested', OfWork, onWorkflowStream);
export type WorkflowCancelRequested = ArgsOf<typeof WorkflowCancelRequested>;

/** The outcome of the work is certain, once. */
export const WorkflowCompleted = event(
  'workflows.WorkflowCompleted',
  OfWork.extend({ outcome: WorkOutcome }),
  onWorkflowStream,
);
export type WorkflowCompleted = ArgsOf<typeof WorkflowCompleted>;

/** What follows from the outcome is done: last on the workflow's stream. */
export const WorkflowCommitted = event('workflows.WorkflowCommitted', OfWork, onWorkflowStream);
export type WorkflowCommitted = ArgsOf<typeof WorkflowCommitted>;
