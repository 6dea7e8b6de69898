import { type Fact, type Folding, fact, on } from '@samovar/journal';
import {
  type Progress,
  type Workflow,
  WorkflowBegun,
  WorkflowCancelRequested,
  WorkflowCommitted,
  WorkflowCompleted,
  WorkflowProgressed,
  WorkflowStateError,
  type WorkOutcome,
} from '@samovar/workflows';
import type { Indexed, OfWork } from './workflowindex.ts';

/** How far a workflow is, as its own stream tells it. */
export interface WorkflowState {
  isBegun: boolean;
  isCanceling: boolean;
  /** By step, in the order in which they were done. */
  readonly progress: Map<string, Progress>;
  outcome: WorkOutcome | null;
  finishedAt: string | null;
}

export const workflowFolding: Folding<WorkflowState> = {
  initial: () => ({ isBegun: false, isCanceling: false, progress: new Map(), outcome: null, finishedAt: null }),
  folds: [
    on(WorkflowBegun, (state) => {
      state.isBegun = true;
    }),
    on(WorkflowProgressed, ({ progress }, { step, details }, { time }) => {
      progress.set(step, { step, details, at: time.toISOString() });
    }),
    on(WorkflowCancelRequested, (state) => {
      state.isCanceling = true;
    }),
    on(WorkflowCompleted, (state, { outcome }) => {
      state.outcome = outcome;
    }),
    on(WorkflowCommitted, (state, _, { time }) => {
      state.finishedAt = time.toISOString();
    }),
  ],
};

/** The workflow that the index and its own stream tell of together. */
export function tell({ of, begunAt }: Indexed, state: WorkflowState): Workflow {
  const { isCanceling, progress, outcome, finishedAt } = state;
  return { ...of, state: stateOf(state), isCanceling, progress: [...progress.values()], outcome, begunAt, finishedAt };
}

export function begin({ isBegun }: WorkflowState, of: OfWork): Fact[] {
  return isBegun ? [] : [fact(WorkflowBegun, of)];
}

/** @throws {WorkflowStateError} */
export function progress(state: WorkflowState, of: OfWork, { step, details }: Omit<Progress, 'at'>): Fact[] {
  if (state.progress.has(step)) return [];
  if (state.outcome === null) return [fact(WorkflowProgressed, { ...of, step, details })];
  throw new WorkflowStateError(of.workflowId, stateOf(state), `${step} comes too late`);
}

export function complete(state: WorkflowState, of: OfWork, outcome: WorkOutcome): Fact[] {
  return state.outcome === null ? [fact(WorkflowCompleted, { ...of, outcome })] : [];
}

/** @throws {WorkflowStateError} */
export function commit(state: WorkflowState, of: OfWork): Fact[] {
  if (state.outcome === null) throw new WorkflowStateError(of.workflowId, stateOf(state), 'complete it first');
  return state.finishedAt === null ? [fact(WorkflowCommitted, of)] : [];
}

export function cancel(state: WorkflowState, of: OfWork): Fact[] {
  return state.isCanceling || state.outcome !== null ? [] : [fact(WorkflowCancelRequested, of)];
}

/** @throws {WorkflowStateError} */
export function checkFinished({ workflowId, state }: Workflow): void {
  if (state !== 'finished') throw new WorkflowStateError(workflowId, state, 'it can be deleted when it is finished');
}

function stateOf({ outcome, finishedAt }: WorkflowState): Workflow['state'] {
  if (outcome === null) return 'running';
  return finishedAt === null ? 'completed' : 'finished';
}
