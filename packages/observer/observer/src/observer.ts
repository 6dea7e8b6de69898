import type { Context } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { type ArgsOf, command, query } from '@samovar/message';
import { RegistryName, Repo } from '@samovar/repos';
import { z } from 'zod';

/** A folder to observe does not exist, or is no folder (observer.notAFolder). */
export class NotAFolderError extends DomainError {
  constructor(path: string, options: { readonly cause?: unknown } = {}) {
    super('invalid_argument', 'observer.notAFolder', {
      publicMessage: `${path} is not a folder that can be read`,
      details: { path },
      ...options,
    });
  }
}

/** A folder to observe has no git repository in it (observer.noRepository). */
export class NoRepositoryError extends DomainError {
  constructor(path: string) {
    super('invalid_argument', 'observer.noRepository', {
      publicMessage: `no git repository in ${path} or below it: name another folder, or run git init there`,
      details: { path },
    });
  }
}

/** A repository that could not be observed, and why. The others are. */
export const Problem = z.object({ path: z.string(), error: z.string(), message: z.string() });
export type Problem = z.infer<typeof Problem>;

export const Observed = z.object({ repos: z.array(Repo), problems: z.array(Problem) });
export type Observed = z.infer<typeof Observed>;

/**
 * Finds the git repositories in folders and below, adds each to the registry, which is made if there is none, and records
 * its history. Answers when all that was there is recorded. What changes is recorded until the repository is removed from
 * the registry or archived, also after a restart.
 */
export const ObserveFoldersCommand = command(
  'observer.ObserveFoldersCommand',
  z.object({
    /** Absolute paths on the server. */
    folders: z.array(z.string().min(1).max(4096)).min(1).max(1000),
    registry: RegistryName.default('main'),
  }),
  Observed,
);
export type ObserveFoldersCommand = ArgsOf<typeof ObserveFoldersCommand>;

/** What is being observed now, the repositories of every registry that are not archived, and what went wrong last. */
export const ListObservedQuery = query('observer.ListObservedQuery', z.object({}), Observed);
export type ListObservedQuery = ArgsOf<typeof ListObservedQuery>;

/** Watches folders of git repositories. */
export abstract class Observer {
  /**
   * Observing a repository again changes nothing but its last problem.
   *
   * @throws {InvalidMessageError} @throws {NotAFolderError} @throws {NoRepositoryError} before anything is registered.
   * @throws {GitMissingError}
   */
  abstract observeFolders(ctx: Context, command: ObserveFoldersCommand): Promise<Observed>;

  /** @throws {InvalidMessageError} */
  abstract listObserved(ctx: Context, query: ListObservedQuery): Promise<Observed>;
}
