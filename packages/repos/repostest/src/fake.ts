import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Bus } from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import {
  type Bundle,
  BundleRepoCommand,
  type Commit,
  type CommitsPage,
  DiscardBundleCommand,
  GetRepoQuery,
  type Head,
  InitRepoCommand,
  ListCommitsQuery,
  ListReposQuery,
  MarkRepoArchivedCommand,
  NotARepositoryError,
  PingRepoCommand,
  type Repo,
  RepoArchivedError,
  RepoNotFoundError,
  type RepoPinged,
  type Repos,
  ScanProgressed,
  ScanRepoCommand,
  Uuid,
} from '@samovar/repos';

/** What a test says a repository holds. */
interface OnDisk {
  readonly commits: Commit[];
  readonly branches: Map<string, string>;
  head: Head;
  fault: Error | undefined;
}

interface Registered {
  repo: Repo;
  readonly recorded: Commit[];
  readonly pings: Map<Uuid, RepoPinged>;
  readonly bundles: Map<Uuid, Bundle>;
}

/** What a commit of a test is; all may be left out. */
export type NewCommit = Partial<Pick<Commit, 'author' | 'committedAt' | 'subject'>>;

const millennium = Date.parse('2000-01-01T00:00:00Z');

/**
 * Repositories in memory. A test says by their paths which there are and what is committed; registering, scanning,
 * archiving, listing and failing are as with real ones. No file is written: paths of bundles are names only.
 */
export class FakeRepos implements Repos {
  readonly #bus: Bus | undefined;
  readonly #disk = new Map<string, OnDisk>();
  readonly #registered = new Map<Uuid, Registered>();
  #commits = 0;

  /** With a bus, it answers all commands and queries there, and tells how scans progress. */
  constructor(bus?: Bus) {
    this.#bus = bus;
    bus?.addHandler(InitRepoCommand, (ctx, command) => this.initRepo(ctx, command));
    bus?.addHandler(ScanRepoCommand, (ctx, command) => this.scanRepo(ctx, command));
    bus?.addHandler(PingRepoCommand, (ctx, command) => this.pingRepo(ctx, command));
    bus?.addHandler(BundleRepoCommand, (ctx, command) => this.bundleRepo(ctx, command));
    bus?.addHandler(DiscardBundleCommand, (ctx, command) => this.discardBundle(ctx, command));
    bus?.addHandler(MarkRepoArchivedCommand, (ctx, command) => this.markRepoArchived(ctx, command));
    bus?.addHandler(GetRepoQuery, (ctx, query) => this.getRepo(ctx, query));
    bus?.addHandler(ListReposQuery, (ctx, query) => this.listRepos(ctx, query));
    bus?.addHandler(ListCommitsQuery, (ctx, query) => this.listCommits(ctx, query));
  }

  /** From now on there is an empty repository at `path`, on the branch `main`; one that was there is replaced. */
  addRepository(path: string): void {
    const head = { ref: 'refs/heads/main', hash: null };
    this.#disk.set(path, { commits: [], branches: new Map(), head, fault: undefined });
  }

  /** From now on there is none. */
  removeRepository(path: string): void {
    this.#disk.delete(path);
  }

  /** Registering, scanning and bundling it fails with `fault` from now on; undefined: no longer. */
  failWith(path: string, fault: Error | undefined): void {
    this.#onDisk(path).fault = fault;
  }

  /** Commits on HEAD. Default: by Ann, a minute after the commit before. */
  commit(path: string, commit: NewCommit = {}): Commit {
    const repository = this.#onDisk(path);
    const { ref, hash: parent } = repository.head;
    const number = ++this.#commits;
    const added = {
      hash: createHash('sha1').update(`${path} ${number}`).digest('hex'),
      parents: parent === null ? [] : [parent],
      author: { name: 'Ann', email: 'ann@example.org' },
      committedAt: `${new Date(millennium + number * 60_000).toISOString().slice(0, 19)}Z`,
      subject: `Change ${number}`,
      ...commit,
    };
    repository.commits.push(added);
    repository.head = { ref, hash: added.hash };
    if (ref !== null) repository.branches.set(ref, added.hash);
    return added;
  }

  /** Puts HEAD on a branch; a new one starts where HEAD is. */
  switchTo(path: string, branch: string): void {
    const repository = this.#onDisk(path);
    const ref = `refs/heads/${branch}`;
    repository.head = { ref, hash: repository.branches.get(ref) ?? repository.head.hash };
  }

  /** How it was pinged so far, each workflow once. */
  pings(repoId: Uuid): readonly RepoPinged[] {
    return [...this.#get(repoId).pings.values()];
  }

  /** The bundles that were made, and not discarded. */
  bundles(): readonly Bundle[] {
    return [...this.#registered.values()].flatMap(({ bundles }) => [...bundles.values()]);
  }

  async initRepo(ctx: Context, command: InitRepoCommand): Promise<Repo> {
    const { registry, name, path } = InitRepoCommand.parse(command);
    throwIfDone(ctx);
    this.#check(path);
    const existing = this.#repos().find((repo) => repo.registry === registry && repo.path === path);
    if (existing !== undefined) return existing;
    const repoId = Uuid.parse(crypto.randomUUID());
    const repo: Repo = { repoId, registry, name, path, head: null, commits: 0, archive: null };
    this.#registered.set(repoId, { repo, recorded: [], pings: new Map(), bundles: new Map() });
    return repo;
  }

  async scanRepo(ctx: Context, command: ScanRepoCommand): Promise<{ recorded: number }> {
    const { repoId } = ScanRepoCommand.parse(command);
    throwIfDone(ctx);
    const registered = this.#getOpen(repoId);
    const { commits, head } = this.#check(registered.repo.path);
    const hashes = new Set(registered.recorded.map(({ hash }) => hash));
    const added = commits.filter(({ hash }) => !hashes.has(hash));
    registered.recorded.push(...added);
    registered.repo = { ...registered.repo, head, commits: registered.recorded.length };
    const recorded = added.length;
    await this.#bus?.publish(ctx, ScanProgressed, { repoId, recorded, total: recorded });
    return { recorded };
  }

  async pingRepo(ctx: Context, command: PingRepoCommand): Promise<void> {
    const { repoId, workflowId } = PingRepoCommand.parse(command);
    throwIfDone(ctx);
    const { repo, pings } = this.#getOpen(repoId);
    pings.set(workflowId, { repoId, registry: repo.registry, workflowId });
  }

  async bundleRepo(ctx: Context, command: BundleRepoCommand): Promise<Bundle> {
    const { repoId, workflowId } = BundleRepoCommand.parse(command);
    throwIfDone(ctx);
    const { repo, bundles } = this.#get(repoId);
    const existing = bundles.get(workflowId);
    if (existing !== undefined) return existing;
    const { commits } = this.#check(repo.path);
    if (commits.length === 0) throw new NotARepositoryError(repo.path, 'it has no commits that could be archived');
    const content = JSON.stringify(commits);
    const bundle = {
      path: `/archive/${repo.registry}/${repoId}-${workflowId}.bundle`,
      bytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    };
    bundles.set(workflowId, bundle);
    return bundle;
  }

  async discardBundle(ctx: Context, command: DiscardBundleCommand): Promise<void> {
    const { repoId, workflowId } = DiscardBundleCommand.parse(command);
    throwIfDone(ctx);
    this.#get(repoId).bundles.delete(workflowId);
  }

  async markRepoArchived(ctx: Context, command: MarkRepoArchivedCommand): Promise<void> {
    const { repoId, archive } = MarkRepoArchivedCommand.parse(command);
    throwIfDone(ctx);
    const registered = this.#get(repoId);
    const { repo } = registered;
    if (repo.archive !== null && !isDeepStrictEqual(repo.archive, archive)) {
      throw new RepoArchivedError(repoId, repo.archive.path);
    }
    registered.repo = { ...repo, archive };
  }

  async getRepo(ctx: Context, query: GetRepoQuery): Promise<Repo> {
    const { repoId } = GetRepoQuery.parse(query);
    throwIfDone(ctx);
    return this.#get(repoId).repo;
  }

  async listRepos(ctx: Context, query: ListReposQuery): Promise<Repo[]> {
    const { registry } = ListReposQuery.parse(query);
    throwIfDone(ctx);
    const order = (a: string, b: string) => Number(a > b) - Number(a < b);
    return this.#repos()
      .filter((repo) => registry === undefined || repo.registry === registry)
      .sort((a, b) => order(a.name, b.name) || order(a.path, b.path));
  }

  async listCommits(ctx: Context, query: ListCommitsQuery): Promise<CommitsPage> {
    const { repoId, limit, before } = ListCommitsQuery.parse(query);
    throwIfDone(ctx);
    const { recorded } = this.#get(repoId);
    const end = before === undefined ? recorded.length : Number(/^before-(\d{1,9})$/.exec(before)?.[1] ?? 'NaN');
    if (!(end <= recorded.length)) {
      throw new InvalidMessageError(ListCommitsQuery.name, [{ path: ['before'], message: 'is the next of no page' }]);
    }
    const start = Math.max(0, end - limit);
    return { commits: recorded.slice(start, end).reverse(), next: start > 0 ? `before-${start}` : null };
  }

  #repos(): Repo[] {
    return [...this.#registered.values()].map(({ repo }) => repo);
  }

  #get(repoId: Uuid): Registered {
    const found = this.#registered.get(repoId);
    if (found === undefined) throw new RepoNotFoundError(repoId);
    return found;
  }

  #getOpen(repoId: Uuid): Registered {
    const registered = this.#get(repoId);
    const { archive } = registered.repo;
    if (archive !== null) throw new RepoArchivedError(repoId, archive.path);
    return registered;
  }

  #check(path: string): OnDisk {
    const repository = this.#disk.get(path);
    if (repository?.fault !== undefined) throw repository.fault;
    if (repository !== undefined) return repository;
    throw new NotARepositoryError(path, isAbsolute(path) ? 'there is nothing' : 'it is no absolute path');
  }

  #onDisk(path: string): OnDisk {
    const repository = this.#disk.get(path);
    if (repository === undefined) throw new TypeError(`add a repository at ${path} first`);
    return repository;
  }
}
