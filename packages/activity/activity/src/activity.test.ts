import type { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import {
  type EntityRef,
  entityKinds,
  entityOf,
  entitySelector,
  entityStream,
  isSilentRetry,
  isSilentRetryAfter,
  retryAfter,
  SilentRetry,
  SilentRetryAfter,
} from './activity.ts';

const id = '0190f3a4-5b6c-7d8e-9f00-112233445566' as Uuid;
const entities: readonly EntityRef[] = [
  { kind: 'registry', registry: 'main' },
  { kind: 'registryWorkflowIndex', registry: 'main' },
  { kind: 'registryWorkflow', registry: 'main', workflowId: id },
  { kind: 'repo', repoId: id },
  { kind: 'repoWorkflow', repoId: id, workflowId: id },
];

describe('entities', () => {
  it.each(entities)('of kind $kind have a stream that tells them again', (entity) => {
    expect(entityOf(entityStream(entity))).toEqual(entity);
    const tokens = entitySelector(entity.kind).split('.');
    const name = entityStream(entity).split('.');
    expect(name).toHaveLength(tokens.length);
    expect(name[0]).toBe(tokens[0]);
  });

  it('are of five kinds', () => {
    expect(entities.map(({ kind }) => kind)).toEqual(entityKinds);
  });

  it.each(['', 'repos', 'repos.', `repos.${id}.x`, `repoworkflows.${id}`, `repoworkflows.${id}.${id}.x`, 'tea.1'])(
    'have no stream %j',
    (name) => {
      expect(entityOf(name)).toBeUndefined();
    },
  );
});

describe('silent retries', () => {
  const after = new Date(5000);

  it.each<[string, unknown, boolean, Date | undefined]>([
    ['SilentRetry', new SilentRetry('later'), true, undefined],
    ['SilentRetryAfter', new SilentRetryAfter(after), true, after],
    ['one that caused another error', new Error('x', { cause: new SilentRetryAfter(after) }), true, after],
    ['one of another copy', Object.assign(new Error('x'), { name: 'SilentRetryAfter', after }), true, after],
    ['an error', new Error('x'), false, undefined],
    ['no error', 'SilentRetry', false, undefined],
  ])('%s', (_, error, silent, time) => {
    expect(isSilentRetry(error)).toBe(silent);
    expect(isSilentRetryAfter(error)).toBe(time !== undefined);
    expect(retryAfter(error)).toEqual(time);
  });
});
