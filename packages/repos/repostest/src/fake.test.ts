import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { InitRepoCommand, RepoUnreadableError, ScanProgressed, ScanRepoCommand } from '@samovar/repos';
import { expect, it } from 'vitest';
import { reposContract } from './contract.ts';
import { FakeRepos } from './fake.ts';

reposContract('FakeRepos', async () => {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  const progress: ScanProgressed[] = [];
  bus.addEventListener(ScanProgressed, (_, data) => void progress.push(data));
  let created = 0;
  return {
    repos,
    progress,
    createRepository: async () => {
      const path = `/repositories/${++created}`;
      repos.addRepository(path);
      return path;
    },
    commit: async (path, commit) => repos.commit(path, commit).hash,
    switchTo: async (path, branch) => repos.switchTo(path, branch),
    pings: async (repoId) => repos.pings(repoId),
    hasBundle: async (path) => repos.bundles().some((bundle) => bundle.path === path),
    remove: async (path) => repos.removeRepository(path),
    [Symbol.asyncDispose]: async () => {},
  };
});

it('answers on its bus, and fails as told', async () => {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  repos.addRepository('/tea');
  const { repoId } = await bus.dispatch(background, InitRepoCommand, { registry: 'main', name: 'tea', path: '/tea' });
  repos.commit('/tea');
  expect(await bus.dispatch(background, ScanRepoCommand, { repoId })).toEqual({ recorded: 1 });
  repos.failWith('/tea', new RepoUnreadableError('/tea', 'a test says so'));
  await expect(bus.dispatch(background, ScanRepoCommand, { repoId })).rejects.toThrow(RepoUnreadableError);
  repos.failWith('/tea', undefined);
  expect(await bus.dispatch(background, ScanRepoCommand, { repoId })).toEqual({ recorded: 0 });
  expect(() => repos.commit('/coffee')).toThrow('add a repository at /coffee first');
});
