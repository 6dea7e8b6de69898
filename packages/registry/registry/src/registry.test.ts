import { InvalidMessageError } from '@samovar/message';
import { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import {
  AddRepoCommand,
  EnableEphemeralWorkflowsCommand,
  EphemeralWorkflowsEnabled,
  GetRegistryQuery,
  InitRegistryCommand,
  ListRegistriesQuery,
  RegistryInitialized,
  RegistryNotFoundError,
  RemoveRepoCommand,
  RepoAdded,
  RepoRemoved,
  registryStream,
} from './registry.ts';

const registry = 'main';
const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-112233445566');

describe('messages', () => {
  it('have their defaults', () => {
    expect(InitRegistryCommand.parse({})).toEqual({ registry });
    expect(GetRegistryQuery.parse({})).toEqual({ registry });
    expect(AddRepoCommand.parse({ path: '/tea' })).toEqual({ registry, path: '/tea' });
    expect(EnableEphemeralWorkflowsCommand.parse({})).toEqual({ registry, retentionSeconds: 86_400 });
  });

  it.each([
    [InitRegistryCommand, { registry: 'Main' }],
    [InitRegistryCommand, { registry, force: true }],
    [AddRepoCommand, { name: 'tea' }],
    [AddRepoCommand, { path: '' }],
    [AddRepoCommand, { path: '/tea', name: '' }],
    [RemoveRepoCommand, { repoId: repoId.toUpperCase() }],
    [EnableEphemeralWorkflowsCommand, { retentionSeconds: -1 }],
    [ListRegistriesQuery, { registry }],
  ])('$0.name refuses $1', (message, args) => {
    expect(() => message.parse(args)).toThrow(InvalidMessageError);
  });
});

it('events are on the stream of their registry', () => {
  expect(registryStream('tea-2')).toBe('registry.tea-2');
  const stream = 'registry.main';
  expect(RegistryInitialized.stream?.({ registry })).toBe(stream);
  expect(RepoAdded.stream?.({ registry, repoId, name: 'tea', path: '/tea' })).toBe(stream);
  expect(RepoRemoved.stream?.({ registry, repoId })).toBe(stream);
  expect(EphemeralWorkflowsEnabled.stream?.({ registry, retentionSeconds: 0 })).toBe(stream);
});

it('the error for a registry that is not there says how to make it', () => {
  expect(new RegistryNotFoundError('tea')).toMatchObject({
    status: 'not_found',
    id: 'registry.notFound',
    publicMessage: 'no registry tea: make it with samovar registry init tea',
    details: { registry: 'tea' },
  });
});
