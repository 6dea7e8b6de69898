import type { Bus } from '@samovar/bus';
import { background, CanceledError, withCancel } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { type RegisteredRepo, type Registry, RegistryNotFoundError } from '@samovar/registry';
import { GetRepoQuery, Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addContract, addRefusals } from './contract/adding.ts';
import { namesIn } from './contract/names.ts';

/** A Registry without registries, and the means to make repositories for it. */
export interface RegistryUnderTest extends AsyncDisposable {
  readonly registry: Registry;
  /** Where the registry finds who answers the commands and queries of repositories. */
  readonly bus: Bus;
  /** A new repository; gives its path as Repos shows it. */
  createRepository(): Promise<string>;
}

type UnderTest = () => RegistryUnderTest;

const ctx = background;
const nobody = Uuid.parse('00000000-0000-4000-8000-000000000000');

/** The promises of {@link Registry}, as a vitest suite. `start` makes what each test works on. */
export function registryContract(name: string, start: () => Promise<RegistryUnderTest>): void {
  describe(`${name} as Registry`, () => {
    let current: RegistryUnderTest;
    beforeEach(async () => {
      current = await start();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    describe('initRegistry', () => initContract(underTest));
    describe('addRepo', () => addContract(underTest));
    describe('addRepo, refused,', () => addRefusals(underTest));
    describe('removeRepo', () => removeContract(underTest));
    describe('enableEphemeralWorkflows', () => ephemeralContract(underTest));
    describe('what it lists', () => listContract(underTest));
    refusals(underTest);
  });
}

function initContract(underTest: UnderTest): void {
  it('makes an empty registry, main by default', async () => {
    const { registry } = underTest();
    const made = { registry: 'main', repos: 0, ephemeralWorkflows: null };
    expect(await registry.initRegistry(ctx, {})).toEqual(made);
    expect(await registry.getRegistry(ctx, {})).toEqual(made);
    expect(await registry.listRegisteredRepos(ctx, {})).toEqual([]);
  });

  it('leaves one that is there as it is', async () => {
    const { registry, createRepository } = underTest();
    await registry.initRegistry(ctx, { registry: 'tea' });
    await registry.addRepo(ctx, { registry: 'tea', path: await createRepository() });
    await registry.enableEphemeralWorkflows(ctx, { registry: 'tea', retentionSeconds: 7 });
    const info = { registry: 'tea', repos: 1, ephemeralWorkflows: { retentionSeconds: 7 } };
    expect(await registry.initRegistry(ctx, { registry: 'tea' })).toEqual(info);
    expect(await registry.getRegistry(ctx, { registry: 'tea' })).toEqual(info);
  });

  it('makes it once when asked at once', async () => {
    const { registry } = underTest();
    const made = await Promise.all(Array.from({ length: 20 }, () => registry.initRegistry(ctx, { registry: 'tea' })));
    expect(made).toEqual(made.map(() => ({ registry: 'tea', repos: 0, ephemeralWorkflows: null })));
    expect(await registry.listRegistries(ctx, {})).toHaveLength(1);
  });

  it.each(['', 'Main', '1st', 'a.b', 'a*', '>', 'a b', '-a', 'é', '../main', `a${'b'.repeat(63)}`])(
    'refuses the name %j',
    async (name) => {
      const { registry } = underTest();
      await expect(registry.initRegistry(ctx, { registry: name })).rejects.toThrow(InvalidMessageError);
      expect(await registry.listRegistries(ctx, {})).toEqual([]);
    },
  );

  it.each(['a', `a${'b'.repeat(62)}`, 'tea-2-', 'constructor'])('takes the name %j', async (name) => {
    const { registry } = underTest();
    await registry.initRegistry(ctx, { registry: name });
    expect(await registry.listRegistries(ctx, {})).toMatchObject([{ registry: name }]);
  });
}

function removeContract(underTest: UnderTest): void {
  beforeEach(() => underTest().registry.initRegistry(ctx, {}));

  it('takes it out of the list, and leaves what is recorded', async () => {
    const { registry, bus, createRepository } = underTest();
    const { repoId } = await registry.addRepo(ctx, { path: await createRepository(), name: 'tea' });
    await registry.addRepo(ctx, { path: await createRepository(), name: 'coffee' });
    await registry.removeRepo(ctx, { repoId });
    expect(await namesIn(registry)).toEqual(['coffee']);
    expect(await registry.getRegistry(ctx, {})).toMatchObject({ repos: 1 });
    expect(await bus.dispatch(ctx, GetRepoQuery, { repoId })).toMatchObject({ name: 'tea' });
  });

  it('of one that it has not is no error', async () => {
    const { registry, createRepository } = underTest();
    const { repoId } = await registry.addRepo(ctx, { path: await createRepository(), name: 'tea' });
    await registry.initRegistry(ctx, { registry: 'other' });
    await registry.removeRepo(ctx, { registry: 'other', repoId });
    await registry.removeRepo(ctx, { repoId: nobody });
    expect(await namesIn(registry)).toEqual(['tea']);
    for (let i = 0; i < 2; i++) await registry.removeRepo(ctx, { repoId });
    expect(await namesIn(registry)).toEqual([]);
  });

  it('lets it be added again: the same one, last in the list, by the name it is given now', async () => {
    const { registry, createRepository } = underTest();
    const path = await createRepository();
    const { repoId } = await registry.addRepo(ctx, { path, name: 'tea' });
    await registry.addRepo(ctx, { path: await createRepository(), name: 'coffee' });
    await registry.removeRepo(ctx, { repoId });
    expect(await registry.addRepo(ctx, { path, name: 'cocoa' })).toMatchObject({ repoId });
    expect(await namesIn(registry)).toEqual(['coffee', 'cocoa']);
  });
}

function ephemeralContract(underTest: UnderTest): void {
  beforeEach(() => underTest().registry.initRegistry(ctx, {}));

  it('says how long finished workflows are kept, a day by default; the last one counts', async () => {
    const { registry } = underTest();
    await registry.initRegistry(ctx, { registry: 'other' });
    const retention = async () => (await registry.getRegistry(ctx, {})).ephemeralWorkflows?.retentionSeconds;
    expect(await retention()).toBeUndefined();
    await registry.enableEphemeralWorkflows(ctx, {});
    expect(await retention()).toBe(86_400);
    for (const retentionSeconds of [0, 60, 60, Number.MAX_SAFE_INTEGER]) {
      await registry.enableEphemeralWorkflows(ctx, { retentionSeconds });
      expect(await retention()).toBe(retentionSeconds);
    }
    expect(await registry.getRegistry(ctx, { registry: 'other' })).toMatchObject({ ephemeralWorkflows: null });
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '60', null])('refuses %s', async (seconds) => {
    const { registry } = underTest();
    const attempt = registry.enableEphemeralWorkflows(ctx, { retentionSeconds: seconds as number });
    await expect(attempt).rejects.toThrow(InvalidMessageError);
    expect(await registry.getRegistry(ctx, {})).toMatchObject({ ephemeralWorkflows: null });
  });
}

function listContract(underTest: UnderTest): void {
  it('are all registries, by name', async () => {
    const { registry, createRepository } = underTest();
    expect(await registry.listRegistries(ctx, {})).toEqual([]);
    for (const name of ['tea', 'a-b', 'a1', 'ab', 'a']) await registry.initRegistry(ctx, { registry: name });
    await registry.addRepo(ctx, { registry: 'ab', path: await createRepository() });
    const listed = await registry.listRegistries(ctx, {});
    expect(listed.map(({ registry }) => registry)).toEqual(['a', 'a-b', 'a1', 'ab', 'tea']);
    expect(listed.map(({ repos }) => repos)).toEqual([0, 0, 0, 1, 0]);
  });

  it('are a registry’s repositories, in the order in which they were added', async () => {
    const { registry, createRepository } = underTest();
    await registry.initRegistry(ctx, {});
    for (const name of ['oolong', 'Assam', 'oolong', '10', '9'])
      await registry.addRepo(ctx, { path: await createRepository(), name });
    expect(await namesIn(registry)).toEqual(['oolong', 'Assam', 'oolong', '10', '9']);
  });

  it('belongs to who asked: changing it changes no registry', async () => {
    const { registry, createRepository } = underTest();
    await registry.initRegistry(ctx, {});
    await registry.addRepo(ctx, { path: await createRepository(), name: 'tea' });
    await registry.enableEphemeralWorkflows(ctx, { retentionSeconds: 7 });
    const [repo] = await registry.listRegisteredRepos(ctx, {});
    (repo as RegisteredRepo).name = 'coffee';
    Object.assign((await registry.getRegistry(ctx, {})).ephemeralWorkflows ?? {}, { retentionSeconds: 8 });
    expect(await namesIn(registry)).toEqual(['tea']);
    expect(await registry.getRegistry(ctx, {})).toMatchObject({ ephemeralWorkflows: { retentionSeconds: 7 } });
  });
}

const methods = [
  'initRegistry',
  'addRepo',
  'removeRepo',
  'enableEphemeralWorkflows',
  'getRegistry',
  'listRegistries',
  'listRegisteredRepos',
] as const;

function refusals(underTest: UnderTest): void {
  it('knows no other registries', async () => {
    const { registry } = underTest();
    await registry.initRegistry(ctx, {});
    const args = { registry: 'tea' };
    await expect(registry.removeRepo(ctx, { ...args, repoId: nobody })).rejects.toThrow(RegistryNotFoundError);
    await expect(registry.enableEphemeralWorkflows(ctx, args)).rejects.toThrow(RegistryNotFoundError);
    await expect(registry.getRegistry(ctx, args)).rejects.toThrow(RegistryNotFoundError);
    await expect(registry.listRegisteredRepos(ctx, args)).rejects.toThrow(RegistryNotFoundError);
    expect(await registry.listRegistries(ctx, {})).toHaveLength(1);
  });

  it.each(methods)('%s refuses what its message does not allow', async (method) => {
    const { registry } = underTest();
    const call = (args: unknown) => registry[method](ctx, args as never);
    await expect(call({ registry: 7, repoId: 'x', more: true })).rejects.toThrow(InvalidMessageError);
    await expect(call({ registry: '__proto__' })).rejects.toThrow(InvalidMessageError);
    await expect(call(undefined)).rejects.toThrow(InvalidMessageError);
  });

  it.each(methods)('%s does nothing for a caller who has given up', async (method) => {
    const { registry, createRepository } = underTest();
    await registry.initRegistry(ctx, {});
    const { repoId } = await registry.addRepo(ctx, { path: await createRepository() });
    const args = { removeRepo: { repoId }, addRepo: { path: await createRepository() } };
    using scope = withCancel(ctx);
    scope.cancel();
    const attempt = registry[method](scope.ctx, (args[method as keyof typeof args] ?? {}) as never);
    await expect(attempt).rejects.toThrow(CanceledError);
    expect(await registry.listRegistries(ctx, {})).toEqual([{ registry: 'main', repos: 1, ephemeralWorkflows: null }]);
  });
}
