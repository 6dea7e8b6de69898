import { basename } from 'node:path';
import type { Bus } from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import {
  AddRepoCommand,
  EnableEphemeralWorkflowsCommand,
  GetRegistryQuery,
  InitRegistryCommand,
  ListRegisteredReposQuery,
  ListRegistriesQuery,
  type RegisteredRepo,
  type Registry,
  type RegistryInfo,
  RegistryNotFoundError,
  RemoveRepoCommand,
  type Retention,
} from '@samovar/registry';
import { InitRepoCommand, type Repo } from '@samovar/repos';

interface Known {
  readonly registry: string;
  readonly repos: Map<string, RegisteredRepo>;
  ephemeralWorkflows: Retention | null;
}

/** Registries in memory, answering on `bus` too, where InitRepoCommand has to be answered when a repository is added. */
export class FakeRegistry implements Registry {
  readonly #bus: Bus;
  readonly #registries = new Map<string, Known>();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.addHandler(InitRegistryCommand, (ctx, command) => this.initRegistry(ctx, command));
    bus.addHandler(AddRepoCommand, (ctx, command) => this.addRepo(ctx, command));
    bus.addHandler(RemoveRepoCommand, (ctx, command) => this.removeRepo(ctx, command));
    bus.addHandler(EnableEphemeralWorkflowsCommand, (ctx, command) => this.enableEphemeralWorkflows(ctx, command));
    bus.addHandler(GetRegistryQuery, (ctx, query) => this.getRegistry(ctx, query));
    bus.addHandler(ListRegistriesQuery, (ctx, query) => this.listRegistries(ctx, query));
    bus.addHandler(ListRegisteredReposQuery, (ctx, query) => this.listRegisteredRepos(ctx, query));
  }

  async initRegistry(ctx: Context, command: InitRegistryCommand): Promise<RegistryInfo> {
    const { registry } = InitRegistryCommand.parse(command);
    throwIfDone(ctx);
    const known = this.#registries.get(registry) ?? { registry, repos: new Map(), ephemeralWorkflows: null };
    this.#registries.set(registry, known);
    return infoOf(known);
  }

  async addRepo(ctx: Context, command: AddRepoCommand): Promise<Repo> {
    const { registry, path, name } = AddRepoCommand.parse(command);
    const { repos } = this.#get(ctx, registry);
    const repo = await this.#bus.dispatch(ctx, InitRepoCommand, { registry, path, name: name ?? nameOf(path) });
    const { repoId } = repo;
    if (!repos.has(repoId)) {
      const addedAt = new Date().toISOString();
      repos.set(repoId, { repoId, name: name ?? nameOf(repo.path), path: repo.path, addedAt });
    }
    return repo;
  }

  async removeRepo(ctx: Context, command: RemoveRepoCommand): Promise<void> {
    const { registry, repoId } = RemoveRepoCommand.parse(command);
    this.#get(ctx, registry).repos.delete(repoId);
  }

  async enableEphemeralWorkflows(ctx: Context, command: EnableEphemeralWorkflowsCommand): Promise<void> {
    const { registry, retentionSeconds } = EnableEphemeralWorkflowsCommand.parse(command);
    this.#get(ctx, registry).ephemeralWorkflows = { retentionSeconds };
  }

  async getRegistry(ctx: Context, query: GetRegistryQuery): Promise<RegistryInfo> {
    const { registry } = GetRegistryQuery.parse(query);
    return infoOf(this.#get(ctx, registry));
  }

  async listRegistries(ctx: Context, query: ListRegistriesQuery): Promise<RegistryInfo[]> {
    ListRegistriesQuery.parse(query);
    throwIfDone(ctx);
    return [...this.#registries.values()].map(infoOf).sort((a, b) => (a.registry < b.registry ? -1 : 1));
  }

  async listRegisteredRepos(ctx: Context, query: ListRegisteredReposQuery): Promise<RegisteredRepo[]> {
    const { registry } = ListRegisteredReposQuery.parse(query);
    return [...this.#get(ctx, registry).repos.values()].map((repo) => ({ ...repo }));
  }

  #get(ctx: Context, registry: string): Known {
    throwIfDone(ctx);
    const known = this.#registries.get(registry);
    if (known === undefined) throw new RegistryNotFoundError(registry);
    return known;
  }
}

function infoOf({ registry, repos, ephemeralWorkflows }: Known): RegistryInfo {
  return { registry, repos: repos.size, ephemeralWorkflows: ephemeralWorkflows && { ...ephemeralWorkflows } };
}

/** The last part of a path, as long as a name may be. */
function nameOf(path: string): string {
  return basename(path).slice(0, 255) || path;
}
