import { Bus } from '@samovar/bus';
import { Journals } from '@samovar/journal';
import { Registry } from '@samovar/registry';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { registryFolding } from './folding.ts';
import { RegistryHandlers } from './handlers.ts';
import { RegistryService } from './service.ts';

/** Binds Registry, and what answers its commands and queries on the bus. Needs Bus and Journals. */
export const registryModule = new ContainerModule(({ bind }) => {
  bind(Registry)
    .toResolvedValue((bus, journals) => new RegistryService(bus, journals.of(registryFolding)), [Bus, Journals])
    .inSingletonScope();
  bind(Initializer)
    .toResolvedValue((bus, registry) => new RegistryHandlers(bus, registry), [Bus, Registry])
    .inSingletonScope();
});
