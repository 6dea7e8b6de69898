import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { AddRepoCommand, GetRegistryQuery, InitRegistryCommand, ListRegisteredReposQuery } from '@samovar/registry';
import { FakeRepos } from '@samovar/repostest';
import { expect, it } from 'vitest';
import { registryContract } from './contract.ts';
import { FakeRegistry } from './fake.ts';

registryContract('FakeRegistry', async () => {
  const bus = new FakeBus();
  const repos = new FakeRepos(bus);
  let created = 0;
  return {
    bus,
    registry: new FakeRegistry(bus),
    createRepository: async () => {
      const path = `/repositories/${++created}`;
      repos.addRepository(path);
      return path;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});

it('answers on its bus', async () => {
  const bus = new FakeBus();
  new FakeRepos(bus).addRepository('/tea');
  new FakeRegistry(bus);
  await bus.dispatch(background, InitRegistryCommand, {});
  const { repoId } = await bus.dispatch(background, AddRepoCommand, { path: '/tea' });
  expect(await bus.dispatch(background, ListRegisteredReposQuery, {})).toMatchObject([{ repoId, name: 'tea' }]);
  expect(await bus.dispatch(background, GetRegistryQuery, {})).toMatchObject({ repos: 1 });
});
