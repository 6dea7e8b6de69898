import { basename } from 'node:path';
import { background } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { RegistryNotFoundError } from '@samovar/registry';
import { GetRepoQuery, InitRepoCommand, ListReposQuery, NotARepositoryError, Uuid } from '@samovar/repos';
import { beforeEach, expect, it } from 'vitest';
import type { RegistryUnderTest } from '../contract.ts';
import { namesIn } from './names.ts';

type UnderTest = () => RegistryUnderTest;

const ctx = background;
const nobody = Uuid.parse('00000000-0000-4000-8000-000000000000');

export function addContract(underTest: UnderTest): void {
  beforeEach(() => underTest().registry.initRegistry(ctx, {}));

  it('registers a repository, and has it in its list', async () => {
    const { registry, bus, createRepository } = underTest();
    const path = await createRepository();
    const repo = await registry.addRepo(ctx, { path, name: 'tea' });
    expect(repo).toMatchObject({ registry: 'main', name: 'tea', path, head: null, commits: 0 });
    expect(await bus.dispatch(ctx, GetRepoQuery, { repoId: repo.repoId })).toEqual(repo);
    const [listed] = await registry.listRegisteredRepos(ctx, {});
    const addedAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
    expect(listed).toEqual({ repoId: repo.repoId, name: 'tea', path, addedAt });
    expect(await registry.getRegistry(ctx, {})).toMatchObject({ repos: 1 });
  });

  it('calls it by the last part of its path where it has no name', async () => {
    const { registry, createRepository } = underTest();
    const path = await createRepository();
    expect(await registry.addRepo(ctx, { path })).toMatchObject({ name: basename(path) });
    expect(await namesIn(registry)).toEqual([basename(path)]);
  });

  it('leaves one that it has as it is', async () => {
    const { registry, createRepository } = underTest();
    const path = await createRepository();
    const first = await registry.addRepo(ctx, { path, name: 'tea' });
    const listed = await registry.listRegisteredRepos(ctx, {});
    expect(await registry.addRepo(ctx, { path, name: 'coffee' })).toEqual(first);
    expect(await registry.addRepo(ctx, { path })).toEqual(first);
    expect(await registry.listRegisteredRepos(ctx, {})).toEqual(listed);
  });

  it('adds it once when asked at once', async () => {
    const { registry, createRepository } = underTest();
    const path = await createRepository();
    const names = Array.from({ length: 20 }, (_, i) => `name ${i}`);
    const added = await Promise.all(names.map((name) => registry.addRepo(ctx, { path, name })));
    expect(new Set(added.map(({ repoId }) => repoId)).size).toBe(1);
    expect(await namesIn(registry)).toHaveLength(1);
  });

  it('adds each of many at once', async () => {
    const { registry, createRepository } = underTest();
    const paths = await Promise.all(Array.from({ length: 20 }, () => createRepository()));
    await Promise.all(paths.map((path) => registry.addRepo(ctx, { path })));
    const listed = await registry.listRegisteredRepos(ctx, {});
    expect(listed.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    expect(await registry.getRegistry(ctx, {})).toMatchObject({ repos: 20 });
  });

  it('adds what was registered when it was interrupted', async () => {
    const { registry, bus, createRepository } = underTest();
    const path = await createRepository();
    const { repoId } = await bus.dispatch(ctx, InitRepoCommand, { registry: 'main', name: 'tea', path });
    expect(await namesIn(registry)).toEqual([]);
    expect(await registry.addRepo(ctx, { path, name: 'tea' })).toMatchObject({ repoId, name: 'tea' });
    expect(await namesIn(registry)).toEqual(['tea']);
  });

  it('adds one path to each of several registries, as repositories of their own', async () => {
    const { registry, createRepository } = underTest();
    const path = await createRepository();
    await registry.initRegistry(ctx, { registry: 'other' });
    const [here, there] = [
      await registry.addRepo(ctx, { path, name: 'here' }),
      await registry.addRepo(ctx, { registry: 'other', path, name: 'there' }),
    ];
    expect(here.repoId).not.toBe(there.repoId);
    expect(await namesIn(registry)).toEqual(['here']);
    expect(await namesIn(registry, 'other')).toEqual(['there']);
  });
}

export function addRefusals(underTest: UnderTest): void {
  beforeEach(() => underTest().registry.initRegistry(ctx, {}));

  it('for a registry that is not there, makes nothing', async () => {
    const { registry, bus, createRepository } = underTest();
    const attempt = registry.addRepo(ctx, { registry: 'tea', path: await createRepository() });
    await expect(attempt).rejects.toThrow(RegistryNotFoundError);
    await expect(attempt).rejects.toThrow('samovar registry init tea');
    expect(await bus.dispatch(ctx, ListReposQuery, {})).toEqual([]);
    expect(await registry.listRegistries(ctx, {})).toMatchObject([{ registry: 'main' }]);
  });

  it.each([
    ['nothing', '/no/such/path'],
    ['a relative path', 'tea'],
    ['a path of 4,096 characters', `/${'a'.repeat(4095)}`],
    ['the file system', '/'],
    ['another part of it', '/no/such/.git/'],
  ])('for %s, adds nothing', async (_, path) => {
    const { registry } = underTest();
    await expect(registry.addRepo(ctx, { path })).rejects.toThrow(NotARepositoryError);
    expect(await namesIn(registry)).toEqual([]);
  });

  it.each([
    ['an empty path', { path: '' }],
    ['a path that is too long', { path: `/${'a'.repeat(4096)}` }],
    ['no path', {}],
    ['an empty name', { name: '' }],
    ['a name that is too long', { name: 'a'.repeat(256) }],
    ['a name of another type', { name: { toString: 'tea' } }],
    ['no registry’s name', { registry: 'Tea' }],
    ['a field that it does not know', { repoId: nobody }],
  ])('for %s, makes nothing', async (what, args) => {
    const { registry, bus, createRepository } = underTest();
    const path = what === 'no path' ? {} : { path: await createRepository() };
    await expect(registry.addRepo(ctx, { ...path, ...args } as never)).rejects.toThrow(InvalidMessageError);
    expect(await bus.dispatch(ctx, ListReposQuery, {})).toEqual([]);
    expect(await namesIn(registry)).toEqual([]);
  });
}
