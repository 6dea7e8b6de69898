import type { Context } from '@samovar/context';
import { stream } from '@samovar/eda';
import { type ArgsOf, command, event, query } from '@samovar/message';
import { RegistryName, Repo, Uuid } from '@samovar/repos';
import { z } from 'zod';

export { RegistryNotFoundError } from './errors.ts';

const Named = z.object({ registry: RegistryName.default('main') });

/** How long finished workflows are kept. */
export const Retention = z.object({
  /** Seconds from a workflow's end until it is deleted. */
  retentionSeconds: z.int().nonnegative(),
});
export type Retention = z.infer<typeof Retention>;

export const RegistryInfo = z.object({
  registry: RegistryName,
  /** How many repositories it has. */
  repos: z.int().nonnegative(),
  /** null: finished workflows are kept until somebody deletes them. */
  ephemeralWorkflows: Retention.nullable(),
});
export type RegistryInfo = z.infer<typeof RegistryInfo>;

/** A repository of a registry. */
export const RegisteredRepo = z.object({
  repoId: Uuid,
  name: z.string(),
  /** As {@link Repo} has it. */
  path: z.string(),
  addedAt: z.iso.datetime(),
});
export type RegisteredRepo = z.infer<typeof RegisteredRepo>;

/** Makes a registry. One that is there is left as it is. */
export const InitRegistryCommand = command('registry.InitRegistryCommand', Named, RegistryInfo);
export type InitRegistryCommand = ArgsOf<typeof InitRegistryCommand>;

/** Adds a local git repository to a registry. One that it has is left as it is. */
export const AddRepoCommand = command(
  'registry.AddRepoCommand',
  Named.extend({
    /** An absolute path on the server: the top of a work tree, or a bare repository. */
    path: z.string().min(1).max(4096),
    /** What people call it. Default: the last part of the path. */
    name: z.string().min(1).max(255).optional(),
  }),
  Repo,
);
export type AddRepoCommand = ArgsOf<typeof AddRepoCommand>;

/** Takes a repository out of its registry: it is not observed any more, and what was recorded stays. */
export const RemoveRepoCommand = command('registry.RemoveRepoCommand', Named.extend({ repoId: Uuid }));
export type RemoveRepoCommand = ArgsOf<typeof RemoveRepoCommand>;

/** Has the registry's workflows deleted a while after they have finished. Enabling it again changes the time. */
export const EnableEphemeralWorkflowsCommand = command(
  'registry.EnableEphemeralWorkflowsCommand',
  Named.extend({ retentionSeconds: z.int().nonnegative().default(86_400) }),
);
export type EnableEphemeralWorkflowsCommand = ArgsOf<typeof EnableEphemeralWorkflowsCommand>;

export const GetRegistryQuery = query('registry.GetRegistryQuery', Named, RegistryInfo);
export type GetRegistryQuery = ArgsOf<typeof GetRegistryQuery>;

/** Every registry, in the order of their names. */
export const ListRegistriesQuery = query('registry.ListRegistriesQuery', z.object({}), z.array(RegistryInfo));
export type ListRegistriesQuery = ArgsOf<typeof ListRegistriesQuery>;

/** The repositories of a registry, in the order in which they were added. */
export const ListRegisteredReposQuery = query('registry.ListRegisteredReposQuery', Named, z.array(RegisteredRepo));
export type ListRegisteredReposQuery = ArgsOf<typeof ListRegisteredReposQuery>;

/** The stream that holds a registry's events. */
export const registryStream = (registry: string): string => stream`registry.${registry}`;

const InRegistry = z.object({ registry: RegistryName });
const onRegistryStream = { stream: ({ registry }: { registry: string }) => registryStream(registry) };

/** First on the registry's stream. */
export const RegistryInitialized = event('registry.RegistryInitialized', InRegistry, onRegistryStream);
export type RegistryInitialized = ArgsOf<typeof RegistryInitialized>;

/** A repository that the registry had not is part of it now. */
export const RepoAdded = event(
  'registry.RepoAdded',
  InRegistry.extend({ repoId: Uuid, name: z.string(), path: z.string() }),
  onRegistryStream,
);
export type RepoAdded = ArgsOf<typeof RepoAdded>;

/** A repository is no part of the registry any more. */
export const RepoRemoved = event('registry.RepoRemoved', InRegistry.extend({ repoId: Uuid }), onRegistryStream);
export type RepoRemoved = ArgsOf<typeof RepoRemoved>;

/** Finished workflows are to be deleted after this time. */
export const EphemeralWorkflowsEnabled = event(
  'registry.EphemeralWorkflowsEnabled',
  InRegistry.extend(Retention.shape),
  onRegistryStream,
);
export type EphemeralWorkflowsEnabled = ArgsOf<typeof EphemeralWorkflowsEnabled>;

/** Registries of repositories, each on one event stream. */
export abstract class Registry {
  /** @throws {InvalidMessageError} */
  abstract initRegistry(ctx: Context, command: InitRegistryCommand): Promise<RegistryInfo>;

  /**
   * Interrupted, it leaves at most a repository that no registry has; adding it again mends that.
   *
   * @throws {InvalidMessageError} @throws {RegistryNotFoundError} @throws {NotARepositoryError} @throws {GitMissingError}
   */
  abstract addRepo(ctx: Context, command: AddRepoCommand): Promise<Repo>;

  /** Removing a repository that the registry has not is no error. @throws {InvalidMessageError} @throws {RegistryNotFoundError} */
  abstract removeRepo(ctx: Context, command: RemoveRepoCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {RegistryNotFoundError} */
  abstract enableEphemeralWorkflows(ctx: Context, command: EnableEphemeralWorkflowsCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {RegistryNotFoundError} */
  abstract getRegistry(ctx: Context, query: GetRegistryQuery): Promise<RegistryInfo>;

  /** @throws {InvalidMessageError} */
  abstract listRegistries(ctx: Context, query: ListRegistriesQuery): Promise<RegistryInfo[]>;

  /** @throws {InvalidMessageError} @throws {RegistryNotFoundError} */
  abstract listRegisteredRepos(ctx: Context, query: ListRegisteredReposQuery): Promise<RegisteredRepo[]>;
}
