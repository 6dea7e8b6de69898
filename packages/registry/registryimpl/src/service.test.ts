import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { FakeJournals } from '@samovar/journaltest';
import { registryContract } from '@samovar/registrytest/contract';
import { InitRepoCommand, Uuid } from '@samovar/repos';
import { FakeRepos } from '@samovar/repostest';
import { describe, expect, it } from 'vitest';
import { registryFolding } from './folding.ts';
import { RegistryService } from './service.ts';

const ctx = background;

registryContract('RegistryService on journals in memory', async () => {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  let created = 0;
  return {
    bus,
    registry: new RegistryService(bus, new FakeJournals().of(registryFolding)),
    createRepository: async () => {
      const path = `/repositories/${++created}`;
      repos.addRepository(path);
      return path;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});

describe('the name of a repository that was given none', () => {
  it.each([
    ['/tea', '/tea', 'tea', 'tea'],
    ['/tea/', '/tea', 'tea', 'tea'],
    ['/tea/.git', '/tea', 'tea', 'tea'],
    ['/tea/.git/', '/tea', 'tea', 'tea'],
    ['/tea.git', '/tea.git', 'tea.git', 'tea.git'],
    ['/coffee/../tea', '/tea', 'tea', 'tea'],
    ['/link', '/tea', 'link', 'tea'],
    ['/', '/', '/', '/'],
    [`/${'a'.repeat(4095)}`, '/tea', 'a'.repeat(255), 'tea'],
  ])('at %s, found at %s, is asked for as %s and added as %s', async (given, path, asked, added) => {
    const bus = new FakeBus();
    bus.addHandler(InitRepoCommand, (_, command) => {
      const { registry, name } = InitRepoCommand.parse(command);
      const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-112233445566');
      return { repoId, registry, name, path, head: null, commits: 0, archive: null };
    });
    const registry = new RegistryService(bus, new FakeJournals().of(registryFolding));
    await registry.initRegistry(ctx, {});
    expect(await registry.addRepo(ctx, { path: given })).toMatchObject({ name: asked, path });
    expect(await registry.listRegisteredRepos(ctx, {})).toMatchObject([{ name: added, path }]);
  });
});
