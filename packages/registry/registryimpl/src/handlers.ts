import type { Bus } from '@samovar/bus';
import {
  AddRepoCommand,
  EnableEphemeralWorkflowsCommand,
  GetRegistryQuery,
  InitRegistryCommand,
  ListRegisteredReposQuery,
  ListRegistriesQuery,
  type Registry,
  RemoveRepoCommand,
} from '@samovar/registry';
import type { Initializer } from '@samovar/server';

/** Answers every command and query of the root on the bus. */
export class RegistryHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #registry: Registry;

  constructor(bus: Bus, registry: Registry) {
    this.#bus = bus;
    this.#registry = registry;
  }

  init(): void {
    const [bus, registry] = [this.#bus, this.#registry];
    bus.addHandler(InitRegistryCommand, (ctx, command) => registry.initRegistry(ctx, command));
    bus.addHandler(AddRepoCommand, (ctx, command) => registry.addRepo(ctx, command));
    bus.addHandler(RemoveRepoCommand, (ctx, command) => registry.removeRepo(ctx, command));
    bus.addHandler(EnableEphemeralWorkflowsCommand, (ctx, command) => registry.enableEphemeralWorkflows(ctx, command));
    bus.addHandler(GetRegistryQuery, (ctx, query) => registry.getRegistry(ctx, query));
    bus.addHandler(ListRegistriesQuery, (ctx, query) => registry.listRegistries(ctx, query));
    bus.addHandler(ListRegisteredReposQuery, (ctx, query) => registry.listRegisteredRepos(ctx, query));
  }
}
