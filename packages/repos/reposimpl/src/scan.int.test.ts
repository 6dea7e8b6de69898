import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background, CanceledError, withCancel } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import {
  type Commit,
  GitMissingError,
  RepoUnreadableError,
  repoStream,
  ScanProgressed,
  type Uuid,
} from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Archive } from './archive.ts';
import { Git } from './git.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

let folder: GitFolder;
let path: string;
let conn: Awaited<ReturnType<typeof connect>>;
let bus: FakeBus;
let repos: ReposService;
let repoId: Uuid;

function makeService(on: FakeBus, env = folder.env): ReposService {
  const git = new Git(env);
  return new ReposService(on, edaRepoLog(conn), git, new Archive(join(folder.path, 'archive'), git));
}

/** A service with nothing in memory, as after a restart. */
function restart(env = folder.env): void {
  bus = new FakeBus();
  repos = makeService(bus, env);
}

async function use(at: string): Promise<void> {
  path = at;
  ({ repoId } = await repos.initRepo(background, { registry: 'main', name: 'r', path }));
}

async function scan(): Promise<number> {
  return (await repos.scanRepo(background, { repoId })).recorded;
}

/** Every commit that is recorded, in that order. */
async function recorded(): Promise<Commit[]> {
  const pages: Commit[][] = [];
  let before: string | null | undefined;
  do {
    const page = await repos.listCommits(background, { repoId, limit: 1000, ...(before && { before }) });
    pages.push(page.commits);
    before = page.next;
  } while (before !== null);
  return pages.flat().reverse();
}

function expectOnce(commits: readonly Commit[]): void {
  expect(new Set(commits.map(({ hash }) => hash)).size).toBe(commits.length);
}

/** What git has, each commit once, and nothing else is recorded; parents before children. */
async function expectAll(): Promise<void> {
  const commits = await recorded();
  const hashes = commits.map(({ hash }) => hash);
  const [all, count] = [
    ['rev-list', '--all'],
    ['rev-list', '--all', '--count'],
  ];
  expect(hashes.toSorted()).toEqual((await folder.run(path, all)).split('\n').filter(Boolean).sort());
  expect(commits).toHaveLength(Number(await folder.run(path, count)));
  expectParentsFirst(commits);
}

function expectParentsFirst(commits: readonly Commit[]): void {
  const place = new Map(commits.map(({ hash }, i) => [hash, i]));
  expect(place.size).toBe(commits.length);
  for (const [i, { parents }] of commits.entries()) {
    for (const parent of parents) expect(place.get(parent) ?? -1).toBeLessThan(i);
  }
}

const git = (...args: string[]) => folder.run(path, args);

beforeEach(async () => {
  folder = await GitFolder.make();
  conn = await connect('memory:');
  restart();
  await use(await folder.init('repo'));
});
afterEach(async () => {
  await conn.close();
  await folder[Symbol.asyncDispose]();
});

describe('scanRepo records', () => {
  it('merges, octopuses, branches, tags and detached HEADs', async () => {
    await folder.commit(path);
    for (const branch of ['a', 'b', 'c', 'd']) {
      await git('checkout', '-q', '-b', branch, 'main');
      await folder.commit(path);
    }
    await git('checkout', '-q', 'main');
    await git('merge', '-q', '--no-ff', '-m', 'octopus', 'a', 'b', 'c');
    await git('tag', '-a', '-m', 'v1', 'v1', 'd');
    await git('branch', '-q', '-D', 'd');
    await git('checkout', '-q', '--orphan', 'other');
    await folder.commit(path);
    await git('checkout', '-q', '--detach');
    await folder.commit(path);
    expect(await scan()).toBe(8);
    await expectAll();
    expect(Math.max(...(await recorded()).map(({ parents }) => parents.length))).toBe(4);
    expect(await scan()).toBe(0);
  });

  it('what arrives later on any branch, also merges of what is recorded', async () => {
    await folder.fill(path, 50);
    expect(await scan()).toBe(50);
    await git('branch', 'old', 'main~20');
    expect(await scan()).toBe(0);
    await git('checkout', '-q', 'old');
    await folder.commit(path);
    await git('merge', '-q', '-m', 'back', '-s', 'ours', 'main');
    for (const fresh of [false, true]) {
      if (fresh) restart();
      expect(await scan()).toBe(fresh ? 0 : 2);
    }
    await expectAll();
  });

  it('texts of any encoding', async () => {
    const identity = 'Zo\xeb <z@example.org> 1 +0000';
    const raw = async (encoding: string) => {
      const tree = await folder.run(path, ['hash-object', '-w', '-t', 'tree', '--stdin']);
      const text = `tree ${tree}\nauthor ${identity}\ncommitter ${identity}\n${encoding}\ncaf\xe9\n\nbody`;
      const input = Buffer.from(text, 'latin1');
      return folder.run(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], { input });
    };
    await git('update-ref', 'refs/heads/declared', await raw('encoding ISO-8859-1\n'));
    await git('update-ref', 'refs/heads/undeclared', await raw(''));
    await folder.commit(path, { subject: 'ship 🎉' });
    await scan();
    const texts = (await recorded()).map(({ author, subject }) => `${author.name}: ${subject}`);
    expect(texts.sort()).toEqual(['Ann: ship 🎉', 'Zoë: café', 'Zoë: café']);
  });

  it('a long history in batches, as git counts it', async () => {
    await folder.fill(path, 5321);
    await git('repack', '-q', '-a', '-d');
    expect(await scan()).toBe(5321);
    await expectAll();
    const told = bus.published.map(({ data }) => data as ScanProgressed);
    expect(told.at(-1)).toEqual({ repoId, recorded: 5321, total: 5321 });
    expect(told[0]?.recorded).toBe(500);
    for (const { recorded: soFar, total } of told) expect(soFar).toBeLessThanOrEqual(total ?? 5321);
    expect(await scan()).toBe(0);
  });

  it('much text in events of bounded size', async () => {
    const input = Array.from({ length: 200 }, (_, n) => {
      const message = `${n} ${'x'.repeat(4090)}`;
      return `commit refs/heads/main\ncommitter A <a@b> ${n} +0000\ndata ${message.length}\n${message}\n`;
    });
    await folder.run(path, ['fast-import', '--quiet'], { input });
    expect(await scan()).toBe(200);
    await expectAll();
    const sizes: number[] = [];
    for await (const { data } of conn.read(background, repoStream(repoId))) sizes.push(data.encode().length);
    expect(Math.max(...sizes)).toBeLessThan(300 * 1024);
    expect(sizes.filter((size) => size > 200 * 1024).length).toBeGreaterThan(2);
  });

  it('where HEAD is in an empty repository', async () => {
    expect(await scan()).toBe(0);
    const head = { ref: 'refs/heads/main', hash: null };
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ head, commits: 0 });
  });
});

describe('scanRepo records once', () => {
  it('what a forced push leaves, when the rest is gone and when some of it comes back', async () => {
    await folder.fill(path, 30);
    await scan();
    const lost = await git('rev-parse', 'main~5');
    await folder.run(folder.path, ['clone', '-q', '--bare', `file://${path}`, 'copy']);
    await git('checkout', '-q', '--detach', 'main~10');
    await git('branch', '-f', 'main');
    await git('checkout', '-q', 'main');
    await git('reflog', 'expire', '--expire=now', '--all');
    await git('gc', '-q', '--prune=now');
    await expect(git('cat-file', '-e', lost)).rejects.toThrow();
    await folder.commit(path);
    restart();
    expect(await scan()).toBe(1);
    expect(await scan()).toBe(0);
    await folder.commit(path);
    expect(await scan()).toBe(1);
    await git('fetch', '-q', join(folder.path, 'copy'), `${lost}:refs/heads/back`);
    expect(await scan()).toBe(0);
    const commits = await recorded();
    expect(commits).toHaveLength(32);
    expectParentsFirst(commits);
  });

  it.each([
    ['it later shows to the same process', () => {}],
    ['it later shows to another', restart],
  ])('what a shallow clone shows, and what %s', async (_, next) => {
    const origin = path;
    await folder.fill(origin, 200);
    await git('branch', 'old', 'main~3');
    await git('branch', 'older', 'main~30');
    const clone = ['clone', '-q', '--no-single-branch', '--depth', '3', `file://${origin}`, 'shallow'];
    await folder.run(folder.path, clone);
    await use(join(folder.path, 'shallow'));
    let known = await scan();
    expect(known).toBe(Number(await git('rev-list', '--all', '--count')));
    for (const step of [['--deepen', '4'], ['--depth', '1'], ['--deepen', '9'], ['--unshallow']]) {
      await git('fetch', '-q', ...step);
      next();
      known += await scan();
      expect(await scan()).toBe(0);
      const commits = await recorded();
      expect(new Set(commits.map(({ hash }) => hash)).size).toBe(known);
      const visible = (await git('rev-list', '--all')).split('\n');
      expect(commits.map(({ hash }) => hash)).toEqual(expect.arrayContaining(visible));
    }
    expect(known).toBe(200);
    await folder.commit(path);
    next();
    expect(await scan()).toBe(1);
  });

  it.each([
    ['a scan', false],
    ['the scan of a clone that was shallow', true],
  ])('what %s recorded that was interrupted', async (_, wasShallow) => {
    await folder.fill(path, 3000);
    if (wasShallow) {
      await folder.run(folder.path, ['clone', '-q', '--depth', '1', `file://${path}`, 'shallow']);
      await use(join(folder.path, 'shallow'));
      await scan();
      await git('fetch', '-q', '--unshallow');
    }
    using scope = withCancel(background);
    bus.addEventListener(ScanProgressed, (_, { recorded: soFar }) => {
      if (soFar >= 500) scope.cancel();
    });
    await expect(repos.scanRepo(scope.ctx, { repoId })).rejects.toThrow(CanceledError);
    const kept = await recorded();
    expect(kept.length).toBeGreaterThanOrEqual(500);
    expect(kept.length).toBeLessThan(3000);
    expectOnce(kept);
    restart();
    expect(await scan()).toBe(3000 - kept.length);
    expectOnce(await recorded());
    expect(await scan()).toBe(0);
  });

  it('what several services record at once', async () => {
    await folder.fill(path, 4000);
    const services = [1, 2, 3].map(() => makeService(new FakeBus()));
    // Reading the history meanwhile must not make a scan believe that it has taken the others' commits into account.
    let scanning = true;
    const reading = services.map(async (service) => {
      while (scanning) {
        await service.getRepo(background, { repoId });
        await new Promise(setImmediate);
      }
    });
    const scans = await Promise.all(services.map((service) => service.scanRepo(background, { repoId })));
    scanning = false;
    await Promise.all(reading);
    expect(scans.reduce((sum, scanned) => sum + scanned.recorded, 0)).toBe(4000);
    await expectAll();
    const { head } = await repos.getRepo(background, { repoId });
    expect(head).toEqual({ ref: 'refs/heads/main', hash: await git('rev-parse', 'main') });
  });
});

describe('scanRepo fails', () => {
  const unreadable = async (words: RegExp) => {
    const attempt = repos.scanRepo(background, { repoId });
    await expect(attempt).rejects.toThrow(RepoUnreadableError);
    await expect(attempt).rejects.toThrow(words);
    expectParentsFirst(await recorded());
  };

  it('when an object is missing, and goes on when it is back', async () => {
    await folder.commit(path);
    const missing = await folder.commit(path);
    await folder.commit(path);
    await folder.run(folder.path, ['clone', '-q', '--bare', `file://${path}`, 'copy']);
    await rm(join(path, '.git', 'objects', missing.slice(0, 2)), { recursive: true });
    await unreadable(new RegExp(`^the history of ${path} cannot be read: .*${missing}.*; try git fsck there$`));
    const text = await folder.run(join(folder.path, 'copy'), ['cat-file', 'commit', missing]);
    await folder.run(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], { input: `${text}\n` });
    expect(await scan()).toBe(3);
    await expectAll();
  });

  it('when a pack is cut short', async () => {
    await folder.fill(path, 500);
    await git('repack', '-q', '-a', '-d');
    const packs = join(path, '.git', 'objects', 'pack');
    const pack = (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '';
    await truncate(join(packs, pack), 5000);
    await unreadable(/repo cannot be read: .*(?:packfile|object)/);
  });

  it('when a reference is broken', async () => {
    await folder.commit(path);
    await writeFile(join(path, '.git', 'refs', 'heads', 'broken'), `${'1'.repeat(40)}\n`);
    await unreadable(/cannot be read: bad object refs\/heads\/broken; try/);
  });

  it('without git, and keeps what it has', async () => {
    await folder.commit(path);
    await scan();
    restart({ ...folder.env, PATH: folder.path });
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(GitMissingError);
    await expectAll();
  });
});
