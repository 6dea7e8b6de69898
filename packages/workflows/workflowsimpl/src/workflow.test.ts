import { fact } from '@samovar/journal';
import { Uuid } from '@samovar/repos';
import {
  WorkflowBegun,
  WorkflowCancelRequested,
  WorkflowCommitted,
  WorkflowCompleted,
  WorkflowProgressed,
  WorkflowStateError,
} from '@samovar/workflows';
import { expect, it } from 'vitest';
import { begin, cancel, commit, complete, progress, type WorkflowState, workflowFolding } from './workflow.ts';
import type { OfWork } from './workflowindex.ts';

const workflowId = Uuid.parse('00000000-0000-4000-8000-000000000001');
const of: OfWork = { registry: 'main', workflowId, work: { type: 'PingRegistry', timeoutMs: 10 } };
const outcome = { kind: 'canceled' as const };
const known = { step: 'known', details: {} };
const news = { step: 'news', details: {} };

const steps = { progress: new Map([['known', { ...known, at: '' }]]) };
const running: WorkflowState = { ...workflowFolding.initial(), ...steps, isBegun: true };
const canceling: WorkflowState = { ...running, isCanceling: true };
const completed: WorkflowState = { ...running, outcome };
const finished: WorkflowState = { ...completed, finishedAt: '2001-02-03T04:05:06Z' };
const nothing = [[], [], [], []];
const inEach = <T>(decide: (state: WorkflowState) => T) => [running, canceling, completed, finished].map(decide);

it('begins once', () => {
  expect(begin(workflowFolding.initial(), of)).toEqual([fact(WorkflowBegun, of)]);
  expect(inEach((state) => begin(state, of))).toEqual(nothing);
});

it('goes on while it runs, each step once', () => {
  const progressed = [fact(WorkflowProgressed, { ...of, ...news })];
  expect([running, canceling].map((state) => progress(state, of, news))).toEqual([progressed, progressed]);
  expect(inEach((state) => progress(state, of, known))).toEqual(nothing);
  for (const state of [completed, finished]) expect(() => progress(state, of, news)).toThrow(WorkflowStateError);
});

it('completes once', () => {
  const done = [fact(WorkflowCompleted, { ...of, outcome })];
  expect(inEach((state) => complete(state, of, outcome))).toEqual([done, done, [], []]);
});

it('is committed once, when it is completed', () => {
  expect([completed, finished].map((state) => commit(state, of))).toEqual([[fact(WorkflowCommitted, of)], []]);
  for (const state of [running, canceling]) expect(() => commit(state, of)).toThrow('is running: complete it first');
});

it('is asked to end once, while it runs', () => {
  expect(inEach((state) => cancel(state, of))).toEqual([[fact(WorkflowCancelRequested, of)], [], [], []]);
});
