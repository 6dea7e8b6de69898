import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { Journals } from '@samovar/journal';
import { FakeJournals } from '@samovar/journaltest';
import { GetRegistryQuery, InitRegistryCommand, Registry } from '@samovar/registry';
import { Initializer } from '@samovar/server';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { registryModule } from './module.ts';
import { RegistryService } from './service.ts';

it('binds Registry, and has its messages answered on the bus', async () => {
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Journals).toConstantValue(new FakeJournals());
  container.load(registryModule);
  expect(container.get(Registry)).toBeInstanceOf(RegistryService);
  expect(container.get(Registry)).toBe(container.get(Registry));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual([
    'registry.AddRepoCommand',
    'registry.EnableEphemeralWorkflowsCommand',
    'registry.GetRegistryQuery',
    'registry.InitRegistryCommand',
    'registry.ListRegisteredReposQuery',
    'registry.ListRegistriesQuery',
    'registry.RemoveRepoCommand',
  ]);
  const made = await bus.dispatch(background, InitRegistryCommand, {});
  expect(await bus.dispatch(background, GetRegistryQuery, { registry: 'main' })).toEqual(made);
});
