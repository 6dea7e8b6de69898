import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background, CanceledError, withCancel } from '@samovar/context';
import { observerContract } from '@samovar/observertest/contract';
import { InitRepoCommand, ScanRepoCommand } from '@samovar/repos';
import { FakeRepos } from '@samovar/repostest';
import { expect, it } from 'vitest';
import type { ObservedRepo } from './observed.ts';
import { ObserverService } from './service.ts';

async function start() {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  const followed: ObservedRepo[] = [];
  const observer = new ObserverService(bus, { follow: (repo) => void followed.push(repo) });
  const root = await realpath(await mkdtemp(join(tmpdir(), 'samovar-observer-')));
  return {
    bus,
    repos,
    followed,
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

it('records two repositories at once, and has each followed when it is recorded', async () => {
  await using current = await start();
  const { bus, root, observer, addRepository, followed } = current;
  for (let i = 0; i < 7; i++) await addRepository(join(root, `${i}`), 1);
  let [running, most] = [0, 0];
  bus.use(async (ctx, message, args, next) => {
    if (message !== ScanRepoCommand) return next(ctx, args);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    expect(followed.length).toBeLessThan(7);
    return next(ctx, args).finally(() => running--);
  });
  await observer.observeFolders(background, { folders: [root], registry: 'main' });
  expect(most).toBe(2);
  expect(followed.map(({ path }) => basename(path)).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
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
  expect(bus.dispatched.filter(({ message }) => message === InitRepoCommand)).toHaveLength(2);
});
