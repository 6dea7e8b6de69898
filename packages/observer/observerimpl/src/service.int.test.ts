import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { RecordingLogger } from '@samovar/activitytest';
import { FakeBus } from '@samovar/bustest';
import { background, CanceledError, withCancel } from '@samovar/context';
import { observerContract } from '@samovar/observertest/contract';
import { AddRepoCommand, InitRegistryCommand, ListRegisteredReposQuery } from '@samovar/registry';
import { FakeRegistry } from '@samovar/registrytest';
import { MarkRepoArchivedCommand, NotARepositoryError, type Repo, ScanRepoCommand } from '@samovar/repos';
import { FakeRepos } from '@samovar/repostest';
import { expect, it } from 'vitest';
import { Scans } from './scans.ts';
import { ObserverService } from './service.ts';

async function start() {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  new FakeRegistry(bus);
  const logger = new RecordingLogger();
  const observer = new ObserverService(bus, new Scans(bus, logger), logger);
  const root = await realpath(await mkdtemp(join(tmpdir(), 'samovar-observer-')));
  return {
    bus,
    repos,
    logger,
    observer,
    root,
    addFolder: async (path: string) => void (await mkdir(path, { recursive: true })),
    addRepository: async (path: string, commits: number) => {
      await mkdir(join(path, '.git'), { recursive: true });
      repos.addRepository(path);
      for (let i = 0; i < commits; i++) repos.commit(path);
    },
    failWith: async (path: string, fault: Parameters<FakeRepos['failWith']>[1]) => repos.failWith(path, fault),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

observerContract('ObserverService', start);

it('records two repositories at once, added in the order in which they are found', async () => {
  await using current = await start();
  const { bus, root, observer, addRepository } = current;
  for (let i = 0; i < 7; i++) await addRepository(join(root, `${i}`), 1);
  let [running, most] = [0, 0];
  bus.use(async (ctx, message, args, next) => {
    if (message !== ScanRepoCommand) return next(ctx, args);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    return next(ctx, args).finally(() => running--);
  });
  await observer.observeFolders(background, { folders: [root], registry: 'main' });
  expect(most).toBe(2);
  const repos = await bus.dispatch(background, ListRegisteredReposQuery, { registry: 'main' });
  expect(repos.map(({ path }) => basename(path))).toEqual(['0', '1', '2', '3', '4', '5', '6']);
});

it('stops when its context ends, and nothing runs on', async () => {
  await using current = await start();
  const { bus, root, observer, addRepository } = current;
  for (let i = 0; i < 7; i++) await addRepository(join(root, `${i}`), 1);
  using scope = withCancel(background);
  bus.use(async (ctx, message, args, next) => {
    if (message === ScanRepoCommand) scope.cancel();
    return next(ctx, args);
  });
  const attempt = observer.observeFolders(scope.ctx, { folders: [root], registry: 'main' });
  await expect(attempt).rejects.toThrow(CanceledError);
  expect(bus.dispatched.filter(({ message }) => message === AddRepoCommand)).toHaveLength(2);
});

it('does not scan what is archived, and does not list it among what is observed', async () => {
  await using current = await start();
  const { bus, root, observer, addRepository } = current;
  await addRepository(join(root, 'tea'), 1);
  const observe = () => observer.observeFolders(background, { folders: [root], registry: 'main' });
  const { repoId } = (await observe()).repos[0] as Repo;
  const archive = { path: '/x', bytes: 0, sha256: '0'.repeat(64) };
  await bus.dispatch(background, MarkRepoArchivedCommand, { repoId, archive });
  expect(await observe()).toMatchObject({ repos: [{ repoId, archive }], problems: [] });
  expect(bus.dispatched.filter(({ message }) => message === ScanRepoCommand)).toHaveLength(1);
  expect(await observer.listObserved(background, {})).toEqual({ repos: [], problems: [] });
});

it('lists what was added otherwise, too', async () => {
  await using current = await start();
  const { bus, root, observer, addRepository } = current;
  await addRepository(join(root, 'tea'), 1);
  await bus.dispatch(background, InitRegistryCommand, { registry: 'other' });
  const repo = await bus.dispatch(background, AddRepoCommand, { registry: 'other', path: join(root, 'tea') });
  expect(await observer.listObserved(background, {})).toEqual({ repos: [repo], problems: [] });
});

it('tries again to add what could not be added, and tells when that has succeeded', async () => {
  await using current = await start();
  const { root, observer, addRepository, failWith, logger } = current;
  const path = join(root, 'tea');
  await addRepository(path, 1);
  await failWith(path, new NotARepositoryError(path, 'HEAD is missing'));
  await observer.observeFolders(background, { folders: [root], registry: 'main' });
  await observer.addAgain(background);
  expect(await observer.listObserved(background, {})).toMatchObject({ repos: [], problems: [{ path }] });
  await failWith(path, undefined);
  await observer.addAgain(background);
  await observer.addAgain(background);
  expect(await observer.listObserved(background, {})).toMatchObject({ repos: [{ path }], problems: [] });
  expect(logger.lines).toMatchObject([{ level: 'info', fields: { path } }]);
});
