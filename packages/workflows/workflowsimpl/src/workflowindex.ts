import { isDeepStrictEqual } from 'node:util';
import type { EventId } from '@samovar/eda';
import { type Fact, type Folding, fact, on } from '@samovar/journal';
import type { Uuid } from '@samovar/repos';
import {
  type Workflow,
  WorkflowErased,
  WorkflowExistsError,
  WorkflowIndexed,
  WorkflowUnindexed,
} from '@samovar/workflows';

/** Which workflow, and what it is to do. */
export type OfWork = Pick<Workflow, 'registry' | 'workflowId' | 'work'>;

/** A workflow that its registry has. */
export interface Indexed {
  readonly of: OfWork;
  /** Of the event that indexed it: tells it from one of the same id that was deleted. */
  readonly id: EventId;
  readonly begunAt: string;
}

/** The workflows of a registry. */
export interface WorkflowIndex {
  /** In the order in which they were indexed. */
  readonly workflows: Map<Uuid, Indexed>;
  /** Those that were deleted, and whose streams are perhaps still there. */
  readonly leftovers: Map<Uuid, OfWork>;
}

export const indexFolding: Folding<WorkflowIndex> = {
  initial: () => ({ workflows: new Map(), leftovers: new Map() }),
  folds: [
    on(WorkflowIndexed, ({ workflows }, { registry, workflowId, work }, { id, time }) => {
      workflows.set(workflowId, { of: { registry, workflowId, work }, id, begunAt: time.toISOString() });
    }),
    on(WorkflowUnindexed, ({ workflows, leftovers }, { registry, workflowId, work }) => {
      workflows.delete(workflowId);
      leftovers.set(workflowId, { registry, workflowId, work });
    }),
    on(WorkflowErased, ({ leftovers }, { workflowId }) => void leftovers.delete(workflowId)),
  ],
};

/** Nothing while there is a leftover of the id. @throws {WorkflowExistsError} */
export function index({ workflows, leftovers }: WorkflowIndex, of: OfWork): Fact[] {
  const { registry, workflowId, work } = of;
  if (leftovers.has(workflowId)) return [];
  const known = workflows.get(workflowId);
  if (known === undefined) return [fact(WorkflowIndexed, of)];
  if (!isDeepStrictEqual(known.of.work, work)) throw new WorkflowExistsError(registry, workflowId);
  return [];
}

/** Nothing if that very workflow is not there any more. */
export function unindex({ workflows }: WorkflowIndex, { of, id }: Indexed): Fact[] {
  return workflows.get(of.workflowId)?.id === id ? [fact(WorkflowUnindexed, of)] : [];
}

export function markErased({ leftovers }: WorkflowIndex, of: OfWork): Fact[] {
  return leftovers.has(of.workflowId) ? [fact(WorkflowErased, of)] : [];
}
