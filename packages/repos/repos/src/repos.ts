import type { Context } from '@samovar/context';
import { stream } from '@samovar/eda';
import { type ArgsOf, command, event, query } from '@samovar/message';
import { z } from 'zod';

export {
  ArchiveFailedError,
  GitMissingError,
  NotARepositoryError,
  RepoArchivedError,
  RepoNotFoundError,
  RepoUnreadableError,
} from './errors.ts';

/** A UUID, lower case. */
export const Uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'is not a UUID in lower case')
  .meta({ format: 'uuid' })
  .brand<'Uuid', 'inout'>();
export type Uuid = z.infer<typeof Uuid>;

/** An object's name: SHA-1 or SHA-256, in lower-case hexadecimal digits. */
export const Hash = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is not 40 or 64 lower-case hexadecimal digits');
export type Hash = z.infer<typeof Hash>;

/** One commit, its texts as Unicode whatever their encoding was, each cut after 4,096 characters. */
export const Commit = z.object({
  hash: Hash,
  parents: z.array(Hash),
  author: z.object({ name: z.string(), email: z.string() }),
  /** The committer's time, UTC, to the second. */
  committedAt: z.iso.datetime(),
  /** The message's first paragraph as one line. */
  subject: z.string(),
});
export type Commit = z.infer<typeof Commit>;

/** Where a repository's HEAD is. */
export const Head = z.object({
  /** The branch it is on, such as `refs/heads/main`; null when detached. */
  ref: z.string().nullable(),
  /** The commit it is at; null while the branch has none. */
  hash: Hash.nullable(),
});
export type Head = z.infer<typeof Head>;

/** What a group of repositories is called. */
export const RegistryName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is not 1 to 63 lower-case letters, digits and dashes, a letter first');

/** A git bundle that holds all that was in a repository: `git clone <path>` restores it. */
export const Bundle = z.object({
  /** Absolute, on the server. Beside it is `<path>.sha256`, as sha256sum writes and checks it. */
  path: z.string(),
  bytes: z.int().nonnegative(),
  /** Of the file, in lower-case hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not 64 lower-case hexadecimal digits'),
});
export type Bundle = z.infer<typeof Bundle>;

export const Repo = z.object({
  repoId: Uuid,
  registry: RegistryName,
  name: z.string(),
  /** Its absolute path: the top of the work tree, or the repository itself where it is bare. */
  path: z.string(),
  /** As recorded last; null before the first scan. */
  head: Head.nullable(),
  /** How many commits are recorded. */
  commits: z.int().nonnegative(),
  /** Where it is archived; null: it is not, and may change. */
  archive: Bundle.nullable(),
});
export type Repo = z.infer<typeof Repo>;

const RepoId = z.object({ repoId: Uuid });

/** Registers a local repository. Registering a path that its registry has returns the repository as it is. */
export const InitRepoCommand = command(
  'repos.InitRepoCommand',
  z.object({
    registry: RegistryName.default('main'),
    /** What people call it. */
    name: z.string().min(1).max(255),
    /** An absolute path on the server: the top of a work tree, or a bare repository. */
    path: z.string().min(1).max(4096),
  }),
  Repo,
);
export type InitRepoCommand = ArgsOf<typeof InitRepoCommand>;

/**
 * Records what is new in a repository: every commit that any reference or HEAD reaches, and HEAD's moves. Parents are
 * those a commit was made with, whatever grafts and replacements show instead.
 */
export const ScanRepoCommand = command(
  'repos.ScanRepoCommand',
  RepoId,
  z.object({
    /** How many commits this scan recorded. */
    recorded: z.int().nonnegative(),
  }),
);
export type ScanRepoCommand = ArgsOf<typeof ScanRepoCommand>;

/** Asks whoever looks after a repository for a sign of life. Asking again in the name of one workflow changes nothing. */
export const PingRepoCommand = command('repos.PingRepoCommand', RepoId.extend({ workflowId: Uuid }));
export type PingRepoCommand = ArgsOf<typeof PingRepoCommand>;

/**
 * Packs all references of a repository, with all they reach, into a bundle in the archive folder, and verifies that. A
 * bundle that was made for the same workflow before is verified and given again.
 */
export const BundleRepoCommand = command('repos.BundleRepoCommand', RepoId.extend({ workflowId: Uuid }), Bundle);
export type BundleRepoCommand = ArgsOf<typeof BundleRepoCommand>;

/** Removes what BundleRepoCommand has made, or has begun to make, for a workflow. Removing nothing is no error. */
export const DiscardBundleCommand = command('repos.DiscardBundleCommand', RepoId.extend({ workflowId: Uuid }));
export type DiscardBundleCommand = ArgsOf<typeof DiscardBundleCommand>;

/** Marks a repository as archived: nothing more is recorded of it. Marking it again with the same bundle changes nothing. */
export const MarkRepoArchivedCommand = command('repos.MarkRepoArchivedCommand', RepoId.extend({ archive: Bundle }));
export type MarkRepoArchivedCommand = ArgsOf<typeof MarkRepoArchivedCommand>;

export const GetRepoQuery = query('repos.GetRepoQuery', RepoId, Repo);
export type GetRepoQuery = ArgsOf<typeof GetRepoQuery>;

/** Every repository, or a registry's, in the order of their names, then paths. */
export const ListReposQuery = query(
  'repos.ListReposQuery',
  z.object({ registry: RegistryName.optional() }),
  z.array(Repo),
);
export type ListReposQuery = ArgsOf<typeof ListReposQuery>;

/** One page of what ListCommitsQuery found. */
export const CommitsPage = z.object({
  commits: z.array(Commit),
  /** Pass as `before` for the next page; null on the last one. */
  next: z.string().nullable(),
});
export type CommitsPage = z.infer<typeof CommitsPage>;

/** A repository's commits, the one recorded last first: a child before its parents. */
export const ListCommitsQuery = query(
  'repos.ListCommitsQuery',
  RepoId.extend({
    limit: z.int().min(1).max(1000).default(100),
    /** `next` of the page before; default: from the newest on. */
    before: z.string().max(100).optional(),
  }),
  CommitsPage,
);
export type ListCommitsQuery = ArgsOf<typeof ListCommitsQuery>;

/** The stream that holds a repository's events. */
export const repoStream = (repoId: Uuid): string => stream`repos.${repoId}`;

const onRepoStream = { stream: ({ repoId }: { repoId: Uuid }) => repoStream(repoId) };

/** First on the repository's stream. */
export const RepoInitialized = event(
  'repos.RepoInitialized',
  RepoId.extend({ registry: RegistryName, name: z.string(), path: z.string() }),
  onRepoStream,
);
export type RepoInitialized = ArgsOf<typeof RepoInitialized>;

/** Commits in an order in which parents come before children; no commit is ever recorded twice. */
export const CommitsRecorded = event(
  'repos.CommitsRecorded',
  RepoId.extend({ commits: z.array(Commit) }),
  onRepoStream,
);
export type CommitsRecorded = ArgsOf<typeof CommitsRecorded>;

/** HEAD was seen elsewhere than before; behind the commits it moved to. */
export const HeadMoved = event('repos.HeadMoved', RepoId.extend({ from: Head.nullable(), to: Head }), onRepoStream);
export type HeadMoved = ArgsOf<typeof HeadMoved>;

/** Somebody asks whoever looks after the repository for a sign of life, which belongs into this workflow of its registry. */
export const RepoPinged = event(
  'repos.RepoPinged',
  RepoId.extend({ registry: RegistryName, workflowId: Uuid }),
  onRepoStream,
);
export type RepoPinged = ArgsOf<typeof RepoPinged>;

/** Nothing more is recorded: all is in the bundle. */
export const RepoArchived = event('repos.RepoArchived', RepoId.extend({ archive: Bundle }), onRepoStream);
export type RepoArchived = ArgsOf<typeof RepoArchived>;

/** A scan is under way: told in the process, stored nowhere. */
export const ScanProgressed = event(
  'repos.ScanProgressed',
  RepoId.extend({
    /** Commits recorded so far by this scan. */
    recorded: z.int().nonnegative(),
    /** How many it will record; null until they are counted. */
    total: z.int().nonnegative().nullable(),
  }),
);
export type ScanProgressed = ArgsOf<typeof ScanProgressed>;

/** Git repositories and their recorded history, each on one event stream. */
export abstract class Repos {
  /** @throws {InvalidMessageError} @throws {NotARepositoryError} @throws {GitMissingError} */
  abstract initRepo(ctx: Context, command: InitRepoCommand): Promise<Repo>;

  /**
   * Interrupted, it keeps what it recorded, and the next scan goes on from there. Several scans of one repository, in
   * any number of processes, record each commit once.
   *
   * @throws {InvalidMessageError} @throws {RepoNotFoundError} @throws {NotARepositoryError} if it is gone from its path.
   * @throws {RepoUnreadableError} @throws {GitMissingError} @throws {RepoArchivedError}
   */
  abstract scanRepo(ctx: Context, command: ScanRepoCommand): Promise<{ recorded: number }>;

  /** @throws {InvalidMessageError} @throws {RepoNotFoundError} @throws {RepoArchivedError} */
  abstract pingRepo(ctx: Context, command: PingRepoCommand): Promise<void>;

  /**
   * Interrupted, it leaves nothing that counts as a bundle.
   *
   * @throws {InvalidMessageError} @throws {RepoNotFoundError} @throws {NotARepositoryError} also if it has no commits.
   * @throws {RepoUnreadableError} @throws {GitMissingError}
   * @throws {ArchiveFailedError} if the archive folder cannot be written, if what was written is damaged, or if the
   * repository is a shallow clone.
   */
  abstract bundleRepo(ctx: Context, command: BundleRepoCommand): Promise<Bundle>;

  /** @throws {InvalidMessageError} @throws {RepoNotFoundError} @throws {ArchiveFailedError} */
  abstract discardBundle(ctx: Context, command: DiscardBundleCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {RepoNotFoundError} @throws {RepoArchivedError} if it is, in another bundle. */
  abstract markRepoArchived(ctx: Context, command: MarkRepoArchivedCommand): Promise<void>;

  /** @throws {InvalidMessageError} @throws {RepoNotFoundError} */
  abstract getRepo(ctx: Context, query: GetRepoQuery): Promise<Repo>;

  /** @throws {InvalidMessageError} */
  abstract listRepos(ctx: Context, query: ListReposQuery): Promise<Repo[]>;

  /** @throws {InvalidMessageError} also if `before` is no page's `next`. @throws {RepoNotFoundError} */
  abstract listCommits(ctx: Context, query: ListCommitsQuery): Promise<CommitsPage>;
}
