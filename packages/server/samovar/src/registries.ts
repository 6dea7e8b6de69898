import { resolve } from 'node:path';
import {
  AddRepoCommand,
  InitRegistryCommand,
  ListRegisteredReposQuery,
  ListRegistriesQuery,
  type RegisteredRepo,
  RemoveRepoCommand,
} from '@samovar/registry';
import { UnclearNameError } from './errors.ts';
import { commits, type Output } from './output.ts';
import type { RemoteServer } from './remote.ts';

/** Makes a registry, and tells of it. */
export async function initRegistry(server: RemoteServer, output: Output, registry: string): Promise<void> {
  const { repos } = await server.call(InitRegistryCommand, { registry });
  output.line(`registry ${registry}: ${count(repos)}`);
}

/** Adds the repository at `path`, from the working folder `cwd` on. */
export async function addRepo(
  server: RemoteServer,
  output: Output,
  { registry, path, name, cwd }: { registry: string; path: string; name: string | undefined; cwd: string },
): Promise<void> {
  const named = name === undefined ? {} : { name };
  const repo = await server.call(AddRepoCommand, { registry, path: resolve(cwd, path), ...named });
  output.line(`${repo.name}: in registry ${registry} as ${repo.repoId}, ${commits(repo.commits)} recorded so far`);
}

/** Takes a repository, by its id, name or path, out of its registry. */
export async function removeRepo(server: RemoteServer, output: Output, registry: string, repo: string): Promise<void> {
  const { repoId, name } = await findRepo(server, registry, repo);
  await server.call(RemoveRepoCommand, { registry, repoId });
  output.line(`${name}: not in registry ${registry} any more; what was recorded stays`);
}

/** Lists the registries, or one of them, with their repositories. */
export async function listRegistries(
  server: RemoteServer,
  output: Output,
  { registry, json }: { readonly registry: string | undefined; readonly json: boolean },
): Promise<void> {
  const names =
    registry === undefined ? (await server.call(ListRegistriesQuery, {})).map((info) => info.registry) : [registry];
  const registries = await Promise.all(
    names.map(async (name) => ({
      registry: name,
      repos: await server.call(ListRegisteredReposQuery, { registry: name }),
    })),
  );
  if (json) output.line(JSON.stringify({ registries }, null, 2));
  else if (registries.length === 0) output.line('no registry yet: samovar registry init makes one');
  else for (const { registry, repos } of registries) tell(output, registry, repos);
}

/** A repository of a registry by its id, name or path. @throws {UnclearNameError} if that is none, or several. */
export async function findRepo(server: RemoteServer, registry: string, named: string): Promise<RegisteredRepo> {
  const repos = await server.call(ListRegisteredReposQuery, { registry });
  const path = resolve(named);
  const found = repos.filter((repo) => repo.repoId === named || repo.path === path || repo.name === named);
  const [repo] = found;
  if (repo === undefined || found.length > 1) {
    throw new UnclearNameError(
      named,
      found.map(({ path, repoId }) => `${repoId} (${path})`),
    );
  }
  return repo;
}

function tell(output: Output, registry: string, repos: readonly RegisteredRepo[]): void {
  output.line(`${registry}: ${count(repos.length)}`);
  for (const { repoId, name, path } of repos) output.line(`  ${repoId} ${name} (${path})`);
}

function count(repos: number): string {
  return repos === 1 ? '1 repository' : `${repos} repositories`;
}
