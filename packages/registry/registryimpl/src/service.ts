import { basename, dirname, resolve } from 'node:path';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { type Fact, fact, type Journal } from '@samovar/journal';
import {
  AddRepoCommand,
  EnableEphemeralWorkflowsCommand,
  EphemeralWorkflowsEnabled,
  GetRegistryQuery,
  InitRegistryCommand,
  ListRegisteredReposQuery,
  ListRegistriesQuery,
  type RegisteredRepo,
  type Registry,
  type RegistryInfo,
  RegistryInitialized,
  RegistryNotFoundError,
  RemoveRepoCommand,
  RepoAdded,
  RepoRemoved,
  registryStream,
} from '@samovar/registry';
import { InitRepoCommand, RegistryName, type Repo } from '@samovar/repos';
import type { RegistryState } from './folding.ts';

/** Registries, each on a stream of its own; what is in a repository is told on the repository's. */
export class RegistryService implements Registry {
  readonly #bus: Bus;
  readonly #journal: Journal<RegistryState>;

  constructor(bus: Bus, journal: Journal<RegistryState>) {
    this.#bus = bus;
    this.#journal = journal;
  }

  async initRegistry(ctx: Context, command: InitRegistryCommand): Promise<RegistryInfo> {
    const { registry } = InitRegistryCommand.parse(command);
    const { state } = await this.#journal.change(ctx, registryStream(registry), ({ initialized }) =>
      initialized ? [] : [fact(RegistryInitialized, { registry })],
    );
    return infoOf(registry, state);
  }

  async addRepo(ctx: Context, command: AddRepoCommand): Promise<Repo> {
    const { registry, path, name } = AddRepoCommand.parse(command);
    await this.#load(ctx, registry);
    const repo = await this.#bus.dispatch(ctx, InitRepoCommand, { registry, path, name: name ?? nameOf(path) });
    await this.#change(ctx, registry, ({ repos }) =>
      repos.has(repo.repoId)
        ? []
        : [fact(RepoAdded, { registry, repoId: repo.repoId, name: name ?? nameOf(repo.path), path: repo.path })],
    );
    return repo;
  }

  async removeRepo(ctx: Context, command: RemoveRepoCommand): Promise<void> {
    const { registry, repoId } = RemoveRepoCommand.parse(command);
    await this.#change(ctx, registry, ({ repos }) =>
      repos.has(repoId) ? [fact(RepoRemoved, { registry, repoId })] : [],
    );
  }

  async enableEphemeralWorkflows(ctx: Context, command: EnableEphemeralWorkflowsCommand): Promise<void> {
    const { registry, retentionSeconds } = EnableEphemeralWorkflowsCommand.parse(command);
    await this.#change(ctx, registry, ({ ephemeralWorkflows }) =>
      ephemeralWorkflows?.retentionSeconds === retentionSeconds
        ? []
        : [fact(EphemeralWorkflowsEnabled, { registry, retentionSeconds })],
    );
  }

  async getRegistry(ctx: Context, query: GetRegistryQuery): Promise<RegistryInfo> {
    const { registry } = GetRegistryQuery.parse(query);
    return infoOf(registry, await this.#load(ctx, registry));
  }

  async listRegistries(ctx: Context, query: ListRegistriesQuery): Promise<RegistryInfo[]> {
    ListRegistriesQuery.parse(query);
    const infos: RegistryInfo[] = [];
    for await (const { stream } of this.#journal.streams(ctx, 'registry.*')) {
      const { success, data: registry } = RegistryName.safeParse(stream.slice('registry.'.length));
      if (!success) continue;
      const { state } = await this.#journal.load(ctx, stream);
      if (state.initialized) infos.push(infoOf(registry, state));
    }
    return infos.sort((a, b) => (a.registry < b.registry ? -1 : 1));
  }

  async listRegisteredRepos(ctx: Context, query: ListRegisteredReposQuery): Promise<RegisteredRepo[]> {
    const { registry } = ListRegisteredReposQuery.parse(query);
    const { repos } = await this.#load(ctx, registry);
    return [...repos.values()].map((repo) => ({ ...repo }));
  }

  async #load(ctx: Context, registry: string): Promise<RegistryState> {
    const { state } = await this.#journal.load(ctx, registryStream(registry));
    if (!state.initialized) throw new RegistryNotFoundError(registry);
    return state;
  }

  async #change(ctx: Context, registry: string, decide: (state: RegistryState) => readonly Fact[]): Promise<void> {
    await this.#journal.change(ctx, registryStream(registry), (state) => {
      if (!state.initialized) throw new RegistryNotFoundError(registry);
      return decide(state);
    });
  }
}

function infoOf(registry: string, { repos, ephemeralWorkflows }: RegistryState): RegistryInfo {
  return { registry, repos: repos.size, ephemeralWorkflows: ephemeralWorkflows && { ...ephemeralWorkflows } };
}

/** The last part of a path, of that of a `.git` folder the one before; no longer than a name may be. */
function nameOf(path: string): string {
  const full = resolve(path);
  const last = basename(full) === '.git' ? basename(dirname(full)) : basename(full);
  return last.slice(0, 255) || full;
}
