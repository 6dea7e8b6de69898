import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { ListCommitsQuery, type Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Archive } from './archive.ts';
import { Git } from './git.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

// Registers and scans a repository in a process of its own; prints what the scan answered.
const script = `
  import { background } from '@samovar/context';
  import { connect } from '@samovar/edaimpl';
  import { FakeBus } from '@samovar/bustest';
  import { Archive } from './src/archive.ts';
  import { Git } from './src/git.ts';
  import { ReposService } from './src/service.ts';
  import { edaRepoLog } from './src/store.ts';
  const conn = await connect(process.env.LOG_URL);
  const git = new Git(process.env);
  const repos = new ReposService(new FakeBus(), edaRepoLog(conn), git, new Archive(process.env.ARCHIVE, git));
  const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'r', path: process.env.REPO });
  console.log(JSON.stringify(await repos.scanRepo(background, { repoId })));
  await conn.close();
`;

let folder: GitFolder;
let path: string;
let url: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await GitFolder.make();
  path = await folder.init('repo');
  url = `sqlite:${join(folder.path, 'events.db')}`;
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await folder[Symbol.asyncDispose]();
});

function start(...flags: readonly string[]) {
  const args = ['--conditions=@samovar/source', ...flags, '--input-type=module', '-e', script];
  const env = { ...folder.env, LOG_URL: url, REPO: path, ARCHIVE: folder.path };
  const child = spawn(process.execPath, args, { cwd: resolve(import.meta.dirname, '..'), env, stdio: 'pipe' });
  children.push(child);
  const [output, complaint] = [text(child.stdout), text(child.stderr)];
  return {
    child,
    /** What its scan recorded. */
    recorded: async (): Promise<number> => {
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(await complaint);
      return JSON.parse(await output).recorded;
    },
  };
}

/** Looks into the log from here. */
async function look<T>(fn: (repos: ReposService, repoId: Uuid) => Promise<T>): Promise<T> {
  const conn = await connect(url);
  try {
    const git = new Git(folder.env);
    const repos = new ReposService(new FakeBus(), edaRepoLog(conn), git, new Archive(folder.path, git));
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'r', path });
    return await fn(repos, repoId);
  } finally {
    await conn.close();
  }
}

async function recordedHashes(): Promise<string[]> {
  return look(async (repos, repoId) => {
    const hashes: string[] = [];
    for (let before: string | undefined; ; ) {
      const query = ListCommitsQuery.parse({ repoId, limit: 1000, before });
      const { commits, next } = await repos.listCommits(background, query);
      hashes.push(...commits.map(({ hash }) => hash));
      if (next === null) return hashes;
      before = next;
    }
  });
}

async function expectEachOnce(): Promise<void> {
  const hashes = await recordedHashes();
  expect(hashes).toHaveLength(Number(await folder.run(path, ['rev-list', '--all', '--count'])));
  expect(new Set(hashes).size).toBe(hashes.length);
}

it('two processes record each commit once', async () => {
  await folder.fill(path, 6000);
  const both = await Promise.all([start().recorded(), start().recorded()]);
  expect(both.reduce((sum, recorded) => sum + recorded)).toBe(6000);
  await expectEachOnce();
});

it('a killed process leaves what the next one goes on from', async () => {
  await folder.fill(path, 30_000);
  const { child } = start();
  const commits = () => look(async (repos, repoId) => (await repos.getRepo(background, { repoId })).commits);
  const before = await vi.waitUntil(commits, { timeout: 10_000, interval: 5 });
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(before).toBeLessThan(30_000);
  const kept = await commits();
  expect(await start().recorded()).toBe(30_000 - kept);
  await expectEachOnce();
});

it('a history of 100,000 commits needs little memory', async () => {
  await folder.fill(path, 100_000);
  expect(await start('--max-old-space-size=64').recorded()).toBe(100_000);
  expect(await start('--max-old-space-size=64').recorded()).toBe(0);
}, 60_000);
