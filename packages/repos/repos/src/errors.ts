import { DomainError } from '@samovar/errors';

/** No repository has this id (repos.notFound). */
export class RepoNotFoundError extends DomainError {
  constructor(repoId: string) {
    super('not_found', 'repos.notFound', { publicMessage: `no repository ${repoId}`, details: { repoId } });
  }
}

/** The path is no git repository that can be opened (repos.notARepository). */
export class NotARepositoryError extends DomainError {
  constructor(path: string, why: string, options: { readonly cause?: unknown } = {}) {
    super('failed_precondition', 'repos.notARepository', {
      publicMessage: `${path} is not a git repository: ${why}`,
      details: { path },
      ...options,
    });
  }
}

/** git could not read the repository's history to its end (repos.unreadable); what was recorded before stays. */
export class RepoUnreadableError extends DomainError {
  constructor(path: string, why: string, options: { readonly cause?: unknown } = {}) {
    super('data_loss', 'repos.unreadable', {
      publicMessage: `the history of ${path} cannot be read: ${why}; try git fsck there`,
      details: { path },
      ...options,
    });
  }
}

/** There is no git to run (repos.gitMissing). */
export class GitMissingError extends DomainError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('failed_precondition', 'repos.gitMissing', {
      publicMessage: 'git is not on PATH: install git (2.25 or later), then try again',
      ...options,
    });
  }
}

/** The repository is archived, and does not change any more (repos.archived). */
export class RepoArchivedError extends DomainError {
  constructor(repoId: string, path: string) {
    super('failed_precondition', 'repos.archived', {
      publicMessage: `repository ${repoId} is archived in ${path}: git clone restores it from there`,
      details: { repoId, path },
    });
  }
}

/** A bundle cannot be written to the archive folder, or read there (repos.archiveFailed). */
export class ArchiveFailedError extends DomainError {
  constructor(path: string, why: string, options: { readonly cause?: unknown } = {}) {
    super('unavailable', 'repos.archiveFailed', {
      publicMessage: `the archive in ${path} cannot be made: ${why}`,
      details: { path },
      ...options,
    });
  }
}
