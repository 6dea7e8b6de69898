import { Data, type Event, type EventId } from '@samovar/eda';
import { fact } from '@samovar/journal';
import { Uuid } from '@samovar/repos';
import { WorkflowErased, WorkflowExistsError, WorkflowIndexed, WorkflowUnindexed } from '@samovar/workflows';
import { describe, expect, it } from 'vitest';
import { index, indexFolding, markErased, type OfWork, unindex } from './workflowindex.ts';

const workflowId = Uuid.parse('00000000-0000-4000-8000-000000000001');
const of: OfWork = { registry: 'main', workflowId, work: { type: 'PingRegistry', timeoutMs: 10 } };
const other: OfWork = { ...of, work: { type: 'PingRegistry', timeoutMs: 11 } };

/** The index after events of these types, all of the same workflow; their ids are '0', '1'. */
function after(...types: readonly { readonly name: string }[]) {
  const state = indexFolding.initial();
  for (const [i, { name }] of types.entries()) {
    const event = { id: `${i}` as EventId, time: new Date(i), type: name, data: Data.json(of) } as Event;
    indexFolding.folds.find((fold) => fold.event.name === name)?.apply(state, of, event);
  }
  return state;
}

const deleted = [WorkflowIndexed, WorkflowUnindexed];
const erased = [...deleted, WorkflowErased];

describe('an id', () => {
  it('is indexed once', () => {
    expect(index(after(), of)).toEqual([fact(WorkflowIndexed, of)]);
    expect(index(after(WorkflowIndexed), of)).toEqual([]);
    expect(() => index(after(WorkflowIndexed), other)).toThrow(WorkflowExistsError);
  });

  it('is indexed again after it is erased, not before', () => {
    expect(index(after(...deleted), other)).toEqual([]);
    expect(index(after(...erased), other)).toEqual([fact(WorkflowIndexed, other)]);
  });

  it('is unindexed as that very workflow', () => {
    const indexed = { of, id: '0' as EventId, begunAt: '' };
    expect(unindex(after(WorkflowIndexed), indexed)).toEqual([fact(WorkflowUnindexed, of)]);
    expect(unindex(after(...deleted), indexed)).toEqual([]);
    expect(unindex(after(...erased, WorkflowIndexed), indexed)).toEqual([]);
    const again = { of, id: '3', begunAt: new Date(3).toISOString() };
    expect(after(...erased, WorkflowIndexed).workflows.get(workflowId)).toEqual(again);
  });

  it('is marked as erased once, and forgotten', () => {
    expect(markErased(after(...deleted), of)).toEqual([fact(WorkflowErased, of)]);
    expect(markErased(after(...erased), of)).toEqual([]);
    expect(after(...erased)).toEqual(after());
  });
});
