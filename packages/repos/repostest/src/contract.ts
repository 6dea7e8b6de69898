import { background, CanceledError, withCancel } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import {
  type Commit,
  NotARepositoryError,
  RepoNotFoundError,
  type RepoPinged,
  type Repos,
  type ScanProgressed,
  Uuid,
} from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveContract, archivedContract, pingContract } from './contract/archive.ts';
import { ann, archive, commitAll, committedAt, nobody, register } from './contract/given.ts';

/** A Repos that knows no repository yet, and the means to make repositories for it. */
export interface ReposUnderTest extends AsyncDisposable {
  readonly repos: Repos;
  /** What was told of scans so far. */
  readonly progress: readonly ScanProgressed[];
  /** A new, empty repository on the branch `main`; gives its path as Repos shows it. */
  createRepository(): Promise<string>;
  /** Commits on HEAD, gives the hash. */
  commit(path: string, commit: Pick<Commit, 'author' | 'committedAt' | 'subject'>): Promise<string>;
  /** Puts HEAD on a branch; a new one starts where HEAD is. */
  switchTo(path: string, branch: string): Promise<void>;
  /** The pings of a repository so far. */
  pings(repoId: Uuid): Promise<readonly RepoPinged[]>;
  /** Whether there is the bundle that `path` was given for. */
  hasBundle(path: string): Promise<boolean>;
  /** Removes the repository, or moves it away. */
  remove(path: string): Promise<void>;
}

export type UnderTest = () => ReposUnderTest;

/** The promises of {@link Repos}, as a vitest suite. `start` makes what each test works on. */
export function reposContract(name: string, start: () => Promise<ReposUnderTest>): void {
  describe(`${name} as Repos`, () => {
    let current: ReposUnderTest;
    beforeEach(async () => {
      current = await start();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    describe('initRepo', () => initContract(underTest));
    describe('scanRepo', () => scanContract(underTest));
    describe('pingRepo', () => pingContract(underTest));
    describe('bundleRepo', () => archiveContract(underTest));
    describe('markRepoArchived', () => archivedContract(underTest));
    describe('listRepos', () => listReposContract(underTest));
    describe('listCommits', () => listCommitsContract(underTest));
    refusals(underTest);
  });
}

/** The subjects of all pages of `limit`, each page an array. */
async function pages(repos: Repos, repoId: Uuid, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  let before: string | null | undefined;
  do {
    const page = await repos.listCommits(background, { repoId, limit, ...(before && { before }) });
    found.push(page.commits.map(({ subject }) => subject));
    before = page.next;
  } while (before !== null);
  return found;
}

function initContract(underTest: UnderTest): void {
  it('registers a repository', async () => {
    const { repos, createRepository } = underTest();
    const path = await createRepository();
    const repo = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    const { repoId } = repo;
    expect(repo).toEqual({ repoId, registry: 'main', name: 'tea', path, head: null, commits: 0, archive: null });
    expect(Uuid.parse(repoId)).toBe(repoId);
    expect(await repos.getRepo(background, { repoId })).toEqual(repo);
  });

  it('gives the repository as it is when it has it', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    await repos.scanRepo(background, { repoId });
    const again = await repos.initRepo(background, { registry: 'main', name: 'coffee', path });
    expect(again).toMatchObject({ repoId, name: 'tea', commits: 1 });
    expect(await repos.listRepos(background, {})).toEqual([again]);
  });

  it('registers it once when asked at once, and once for each registry', async () => {
    const { repos, createRepository } = underTest();
    const path = await createRepository();
    const names = ['a', 'b', 'c', 'd'];
    const made = await Promise.all(names.map((name) => repos.initRepo(background, { registry: 'main', name, path })));
    expect(made).toEqual(made.map(() => made[0]));
    const other = await repos.initRepo(background, { registry: 'other', name: 'e', path });
    expect(other.repoId).not.toBe(made[0]?.repoId);
    expect(await repos.listRepos(background, {})).toHaveLength(2);
  });

  it.each(['/no/such/path', 'relative'])('refuses %s', async (path) => {
    const { repos } = underTest();
    const attempt = repos.initRepo(background, { registry: 'main', name: 'tea', path });
    await expect(attempt).rejects.toThrow(NotARepositoryError);
    await expect(attempt).rejects.toThrow(`${path} is not a git repository`);
    expect(await repos.listRepos(background, {})).toEqual([]);
  });
}

function scanContract(underTest: UnderTest): void {
  it('records what is new, once', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    const [first = '', second = ''] = await commitAll(underTest(), path, ['one', 'two']);
    expect(await repos.scanRepo(background, { repoId })).toEqual({ recorded: 2 });
    expect(await repos.scanRepo(background, { repoId })).toEqual({ recorded: 0 });
    const [third = ''] = await commitAll(underTest(), path, ['three']);
    expect(await repos.scanRepo(background, { repoId })).toEqual({ recorded: 1 });
    const { commits } = await repos.listCommits(background, { repoId, limit: 10 });
    const common = { author: ann, committedAt };
    expect(commits).toEqual([
      { ...common, hash: third, parents: [second], subject: 'three' },
      { ...common, hash: second, parents: [first], subject: 'two' },
      { ...common, hash: first, parents: [], subject: 'one' },
    ]);
  });

  it('follows HEAD', async () => {
    const { repos, switchTo } = underTest();
    const { repoId, path } = await register(underTest());
    const headAfterScan = async () => {
      await repos.scanRepo(background, { repoId });
      return (await repos.getRepo(background, { repoId })).head;
    };
    expect(await headAfterScan()).toEqual({ ref: 'refs/heads/main', hash: null });
    const [one] = await commitAll(underTest(), path, ['one']);
    expect(await headAfterScan()).toEqual({ ref: 'refs/heads/main', hash: one });
    await switchTo(path, 'side');
    expect(await headAfterScan()).toEqual({ ref: 'refs/heads/side', hash: one });
    const [two] = await commitAll(underTest(), path, ['two']);
    expect(await headAfterScan()).toEqual({ ref: 'refs/heads/side', hash: two });
    await switchTo(path, 'main');
    expect(await headAfterScan()).toEqual({ ref: 'refs/heads/main', hash: one });
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ commits: 2 });
  });

  it('records each commit once when several run at once', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one', 'two', 'three']);
    const scans = await Promise.all([1, 2, 3, 4].map(() => repos.scanRepo(background, { repoId })));
    expect(scans.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(3);
    expect(await pages(repos, repoId, 10)).toEqual([['three', 'two', 'one']]);
  });

  it('tells how far it is, at last that it is through', async () => {
    const { repos, progress } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one', 'two']);
    await repos.scanRepo(background, { repoId });
    expect(progress.at(-1)).toEqual({ repoId, recorded: 2, total: 2 });
    await repos.scanRepo(background, { repoId });
    expect(progress.at(-1)).toEqual({ repoId, recorded: 0, total: 0 });
  });

  it('keeps what it recorded when the repository is gone', async () => {
    const { repos, remove } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    await repos.scanRepo(background, { repoId });
    await remove(path);
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(NotARepositoryError);
    expect(await pages(repos, repoId, 10)).toEqual([['one']]);
  });

  it('does not begin when its context is done', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    using scope = withCancel(background);
    scope.cancel();
    await expect(repos.scanRepo(scope.ctx, { repoId })).rejects.toThrow(CanceledError);
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ commits: 0 });
  });
}

function listReposContract(underTest: UnderTest): void {
  it('gives them by name, then path', async () => {
    const { repos } = underTest();
    const made = [];
    for (const name of ['oolong', 'Assam', 'oolong', 'green']) made.push(await register(underTest(), name));
    const expected = made.sort((a, b) => (a.name + a.path < b.name + b.path ? -1 : 1));
    expect(await repos.listRepos(background, {})).toEqual(expected);
  });

  it('gives those of one registry', async () => {
    const { repos } = underTest();
    await register(underTest(), 'tea', 'main');
    const coffee = await register(underTest(), 'coffee', 'other');
    expect(await repos.listRepos(background, { registry: 'other' })).toEqual([coffee]);
    expect(await repos.listRepos(background, { registry: 'empty' })).toEqual([]);
  });
}

function listCommitsContract(underTest: UnderTest): void {
  it.each([1, 2, 3, 5, 6, 7])('gives six commits in pages of %i', async (limit) => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    const subjects = ['1', '2', '3', '4', '5', '6'];
    // In two events, where it is a matter of events.
    for (const half of [subjects.slice(0, 2), subjects.slice(2)]) {
      await commitAll(underTest(), path, half);
      await repos.scanRepo(background, { repoId });
    }
    const found = await pages(repos, repoId, limit);
    expect(found.flat()).toEqual(subjects.toReversed());
    expect(found.map(({ length }) => length)).toEqual([
      ...Array(Math.ceil(6 / limit) - 1).fill(limit),
      6 % limit || limit,
    ]);
  });

  it('goes on where a page ended, whatever was recorded since', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['1', '2', '3']);
    await repos.scanRepo(background, { repoId });
    const { next } = await repos.listCommits(background, { repoId, limit: 2 });
    await commitAll(underTest(), path, ['4']);
    await repos.scanRepo(background, { repoId });
    const rest = await repos.listCommits(background, { repoId, limit: 2, before: next ?? '' });
    expect(rest).toMatchObject({ commits: [{ subject: '1' }], next: null });
  });

  it('gives none of an empty repository', async () => {
    const { repoId } = await register(underTest());
    const page = await underTest().repos.listCommits(background, { repoId, limit: 10 });
    expect(page).toEqual({ commits: [], next: null });
  });

  it.each(['', 'x', 'before-99', '00000000000000000000000000.0', '7'.repeat(26)])(
    'refuses %j, which is no page’s next',
    async (before) => {
      const { repoId } = await register(underTest());
      const attempt = underTest().repos.listCommits(background, { repoId, limit: 10, before });
      await expect(attempt).rejects.toThrow(InvalidMessageError);
      await expect(attempt).rejects.toThrow(/before/);
    },
  );
}

const methods = [
  'initRepo',
  'scanRepo',
  'pingRepo',
  'bundleRepo',
  'discardBundle',
  'markRepoArchived',
  'getRepo',
  'listRepos',
  'listCommits',
] as const;

function refusals(underTest: UnderTest): void {
  it('knows no other repositories', async () => {
    const { repos } = underTest();
    const [repoId, workflowId] = [nobody, nobody];
    await expect(repos.getRepo(background, { repoId })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.pingRepo(background, { repoId, workflowId })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.bundleRepo(background, { repoId, workflowId })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.discardBundle(background, { repoId, workflowId })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.markRepoArchived(background, { repoId, archive })).rejects.toThrow(RepoNotFoundError);
    await expect(repos.listCommits(background, { repoId, limit: 1 })).rejects.toThrow(RepoNotFoundError);
  });

  it.each(methods)('%s refuses what its message does not allow', async (method) => {
    const { repos } = underTest();
    const call = (args: unknown) => repos[method](background, args as never);
    await expect(call({ registry: 7, repoId: 'x', more: true })).rejects.toThrow(InvalidMessageError);
    await expect(call(undefined)).rejects.toThrow(InvalidMessageError);
  });
}
