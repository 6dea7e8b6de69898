import { InvalidMessageError } from '@samovar/message';
import { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import {
  BeginWorkflowCommand,
  CompleteWorkflowCommand,
  ListWorkflowsQuery,
  ProgressWorkflowCommand,
  Workflow,
  WorkflowBegun,
  WorkflowCommitted,
  WorkflowErased,
  WorkflowExistsError,
  WorkflowIndexed,
  WorkflowNotFoundError,
  WorkflowStateError,
  WorkflowUnindexed,
  workflowIndexStream,
  workflowStream,
} from './workflows.ts';

const workflowId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-112233445566');
const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-665544332211');
const ping = { type: 'PingRegistry' as const };
const archive = { type: 'ArchiveRepo' as const, repoId };

function nested(levels: number): unknown {
  let value: unknown = 'tea';
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('messages', () => {
  it('have their defaults', () => {
    expect(BeginWorkflowCommand.parse({ work: ping })).toEqual({
      registry: 'main',
      work: { type: 'PingRegistry', timeoutMs: 10_000 },
    });
    expect(ListWorkflowsQuery.parse({})).toEqual({ registry: 'main' });
  });

  it.each([
    [{ work: { type: 'BrewTea' } }],
    [{ work: 'PingRegistry' }],
    [{ work: { type: 'PingRegistry', timeoutMs: 0 } }],
    [{ work: { type: 'PingRegistry', timeoutMs: 86_400_001 } }],
    [{ work: { type: 'ArchiveRepo' } }],
    [{ work: archive, workflowId: workflowId.toUpperCase() }],
    [{ work: archive, workflowId, force: true }],
    [{ work: archive, registry: 'Main' }],
  ])('refuse to begin with %j', (args) => {
    expect(() => BeginWorkflowCommand.parse(args)).toThrow(InvalidMessageError);
  });

  it('describe themselves as JSON Schema', () => {
    expect(ProgressWorkflowCommand.jsonSchema()).toMatchObject({ required: ['workflowId', 'step', 'details'] });
    expect(BeginWorkflowCommand.resultJsonSchema()).toMatchObject({ type: 'object' });
  });
});

describe('details', () => {
  const parse = (details: unknown) => ProgressWorkflowCommand.parse({ workflowId, step: 'x', details }).details;

  it('are any JSON within their bounds', () => {
    const details = { text: 'é', number: 1.5, nothing: null, list: [true, {}], deep: nested(31) };
    expect(parse(details)).toEqual(details);
    const bound = { text: 'x'.repeat(524_288 - '{"text":""}'.length) };
    expect(parse(bound)).toEqual(bound);
  });

  it.each([
    ['too many characters', { text: 'x'.repeat(524_288) }, /more than 524288 bytes/],
    ['too many bytes', { text: 'é'.repeat(300_000) }, /more than 524288 bytes/],
    ['more levels than there are', { deep: nested(32) }, /deeper than 32 levels/],
    ['more levels than the stack has room for', { deep: nested(100_000) }, /deeper than 32 levels/],
    ['a key too long', { ['x'.repeat(101)]: 1 }, /details/],
    ['what is no JSON', { at: new Date(0) }, /details/],
    ['a number that JSON has not', { many: Number.NaN }, /details/],
    ['a number that JSON cannot hold', { many: 1n }, /details/],
    ['a list', [1], /details/],
  ])('refuse %s', (_, details, why) => {
    expect(() => parse(details)).toThrow(InvalidMessageError);
    expect(() => parse(details)).toThrow(why);
    expect(() =>
      CompleteWorkflowCommand.parse({ workflowId, outcome: { kind: 'succeeded', details } as never }),
    ).toThrow(InvalidMessageError);
  });

  it('refuse what contains itself', () => {
    const ring: Record<string, unknown> = {};
    ring.left = ring;
    ring.right = ring;
    expect(() => parse(ring)).toThrow(/deeper than 32 levels/);
  });
});

describe('outcomes', () => {
  it.each([
    [{ kind: 'failed' }],
    [{ kind: 'failed', error: 'x'.repeat(4097) }],
    [{ kind: 'succeeded' }],
    [{ kind: 'lost' }],
  ])('are not %j', (outcome) => {
    expect(() => CompleteWorkflowCommand.parse({ workflowId, outcome })).toThrow(InvalidMessageError);
  });
});

describe('events', () => {
  const of = { registry: 'main', workflowId };

  it('are on the stream of what the work is about, or on the index of the registry', () => {
    expect(workflowStream('main', workflowId, ping)).toBe(`registryworkflows.main.${workflowId}`);
    expect(workflowStream('main', workflowId, archive)).toBe(`repoworkflows.${repoId}.${workflowId}`);
    for (const event of [WorkflowBegun, WorkflowCommitted]) {
      expect(event.stream?.({ ...of, work: archive })).toBe(`repoworkflows.${repoId}.${workflowId}`);
    }
    for (const event of [WorkflowIndexed, WorkflowUnindexed, WorkflowErased]) {
      expect(event.stream?.({ ...of, work: ping })).toBe(workflowIndexStream('main'));
    }
    expect(workflowIndexStream('main')).toBe('workflowindex.main');
  });
});

it('a workflow is as its schema says', () => {
  const workflow = {
    workflowId,
    registry: 'main',
    work: archive,
    state: 'finished',
    isCanceling: false,
    progress: [{ step: 'bundled', details: { bytes: 1 }, at: '2001-02-03T04:05:06.789Z' }],
    outcome: { kind: 'succeeded', details: {} },
    begunAt: '2001-02-03T04:05:06.789Z',
    finishedAt: '2001-02-03T04:05:06.789Z',
  };
  expect(Workflow.parse(workflow)).toEqual(workflow);
});

describe('errors', () => {
  it.each([
    [new WorkflowNotFoundError('main', 'x'), 'not_found', 'workflows.notFound', 'no workflow x in registry main'],
    [new WorkflowExistsError('main', 'x'), 'already_exists', 'workflows.alreadyExists', 'leave the id out'],
    [
      new WorkflowStateError('x', 'running', 'complete it first'),
      'failed_precondition',
      'workflows.wrongState',
      'workflow x is running: complete it first',
    ],
  ])('%s says what to do', (error, status, id, words) => {
    expect(error).toMatchObject({ status, id, publicMessage: expect.stringContaining(words) });
  });
});
