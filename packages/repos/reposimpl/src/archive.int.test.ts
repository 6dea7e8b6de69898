import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { background, CanceledError, withCancel } from '@samovar/context';
import {
  ArchiveFailedError,
  type Bundle,
  GitMissingError,
  NotARepositoryError,
  RepoUnreadableError,
  Uuid,
} from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Archive } from './archive.ts';
import { Git } from './git.ts';

const repoId = Uuid.parse('00000000-0000-4000-8000-000000000000');
const workflowId = Uuid.parse('11111111-1111-4111-8111-111111111111');
const otherWorkflowId = Uuid.parse('22222222-2222-4222-8222-222222222222');

let folder: GitFolder;
let archiveDir: string;
let archive: Archive;

const described = (path: string, name = 'tea') => ({ repoId, registry: 'main', name, path });
const bundle = (path: string, name?: string, ctx = background) =>
  archive.bundle(ctx, described(path, name), workflowId);
const files = async () => (await readdir(join(archiveDir, 'main')).catch((): string[] => [])).sort();

/** A repository with a file of many bytes in one pack; gives its path, and that of the pack. */
async function packed(): Promise<{ path: string; pack: string }> {
  const path = await folder.init('repo');
  await folder.commitFile(path, 'noise', createHash('shake256', { outputLength: 200_000 }).update('tea').digest('hex'));
  await folder.run(path, ['repack', '-q', '-a', '-d']);
  const packs = join(path, '.git', 'objects', 'pack');
  return { path, pack: join(packs, (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '') };
}

async function flipBytes(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = bytes.length >> 1;
  bytes.fill(~(bytes[middle] ?? 0), middle, middle + 3);
  // What git has written is read-only.
  await rm(path);
  await writeFile(path, bytes);
}

beforeEach(async () => {
  folder = await GitFolder.make();
  archiveDir = join(folder.path, 'backups', 'archive');
  archive = new Archive(archiveDir, new Git(folder.env));
});
afterEach(() => folder[Symbol.asyncDispose]());

describe('a bundle', () => {
  it('has its checksum beside it, and nothing else', async () => {
    const { path: repo } = await packed();
    const { path, bytes, sha256 } = await bundle(repo);
    expect(path).toBe(join(archiveDir, 'main', `tea-${repoId}-${workflowId}.bundle`));
    expect(await files()).toEqual([basename(path), `${basename(path)}.sha256`]);
    expect(bytes).toBe((await stat(path)).size);
    expect(sha256).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
    const check = promisify(execFile)('sha256sum', ['-c', `${basename(path)}.sha256`], { cwd: dirname(path) });
    expect((await check).stdout).toBe(`${basename(path)}: OK\n`);
  });

  it.each([
    '../../tea',
    '..',
    '/',
    '-rf',
    'a/b\\c',
    '茶',
    'line\nbreak',
    '\u202e"\'$(x)',
    'x'.repeat(255),
    '茶'.repeat(255),
  ])('of a repository called %j is in its folder', async (name) => {
    const repo = await folder.init('repo');
    await folder.commit(repo);
    const { path } = await bundle(repo, name);
    expect(dirname(path)).toBe(join(archiveDir, 'main'));
    expect(basename(path)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}-0{8}-[^/]+-1{12}\.bundle$/);
    expect(await files()).toEqual([basename(path), `${basename(path)}.sha256`]);
  });

  it.skipIf(process.platform === 'win32')('is for nobody else to read, unless the folder was there', async () => {
    const repo = await folder.init('repo');
    await folder.commit(repo);
    await bundle(repo);
    const mode = async () => (await stat(archiveDir)).mode & 0o777;
    expect(await mode()).toBe(0o700);
    await rm(archiveDir, { recursive: true });
    await mkdir(archiveDir, { mode: 0o755 });
    await bundle(repo);
    expect(await mode()).toBe(0o755);
  });

  it('is given again, not made again, while it is whole', async () => {
    const { path: repo } = await packed();
    const made = await bundle(repo);
    const { ino } = await stat(made.path);
    await rm(repo, { recursive: true });
    expect(await bundle(repo)).toEqual(made);
    expect((await stat(made.path)).ino).toBe(ino);
  });

  it.each<[string, (bundle: Bundle) => Promise<unknown>]>([
    ['changed', ({ path }) => flipBytes(path)],
    ['cut short', ({ path, bytes }) => truncate(path, bytes - 1)],
    ['without its checksum', ({ path }) => rm(`${path}.sha256`)],
    ['with another checksum', ({ path }) => writeFile(`${path}.sha256`, `${'0'.repeat(64)}  ${basename(path)}\n`)],
    ['gone', ({ path }) => rm(path)],
  ])('that is %s is made anew', async (_, damage) => {
    const { path: repo } = await packed();
    const made = await bundle(repo);
    await damage(made);
    expect(await bundle(repo)).toEqual(made);
    await folder.run(folder.path, ['clone', '-q', made.path, 'clone']);
    expect(await files()).toHaveLength(2);
  });

  it('is discarded with its checksum, and no other is', async () => {
    const { path: repo } = await packed();
    await archive.discard(described(repo), workflowId);
    const other = await archive.bundle(background, described(repo), otherWorkflowId);
    await bundle(repo);
    for (let i = 0; i < 2; i++) await archive.discard(described(repo), workflowId);
    expect(await files()).toEqual([basename(other.path), `${basename(other.path)}.sha256`]);
  });
});

describe('no bundle is made, and nothing is left,', () => {
  async function refused(repo: string, error: new (...args: never[]) => Error, words: RegExp): Promise<void> {
    const attempt = bundle(repo);
    await expect(attempt).rejects.toThrow(error);
    await expect(attempt).rejects.toThrow(words);
    expect(await files()).toEqual([]);
  }

  it('of an empty repository', async () => {
    await refused(await folder.init('repo'), NotARepositoryError, /repo is not a git repository: it has no commits/);
  });

  it('of a shallow clone, which git would make one of that cannot be restored', async () => {
    const origin = await folder.init('origin');
    await folder.fill(origin, 5);
    await folder.run(folder.path, ['clone', '-q', '--depth', '2', `file://${origin}`, 'repo']);
    const repo = join(folder.path, 'repo');
    await refused(repo, ArchiveFailedError, /repo is a shallow clone.*git fetch --unshallow/);
    await folder.run(repo, ['fetch', '-q', '--unshallow']);
    await folder.run(folder.path, ['clone', '-q', (await bundle(repo)).path, 'restored']);
    expect(await folder.run(join(folder.path, 'restored'), ['rev-list', '--count', 'HEAD'])).toBe('5');
  });

  it('of damaged objects, which git copies as they are', async () => {
    const { path, pack } = await packed();
    await flipBytes(pack);
    await refused(path, ArchiveFailedError, /made of .*repo is damaged \(.*\): try git fsck there/);
  });

  it('where an object is missing', async () => {
    const repo = await folder.init('repo');
    await folder.commitFile(repo, 'first');
    const blob = await folder.run(repo, ['rev-parse', 'HEAD:first']);
    await rm(join(repo, '.git', 'objects', blob.slice(0, 2), blob.slice(2)));
    await refused(repo, RepoUnreadableError, new RegExp(`repo cannot be read: .*${blob}`));
  });

  it('without git', async () => {
    const repo = await folder.init('repo');
    archive = new Archive(archiveDir, new Git({ ...folder.env, PATH: folder.path }));
    await refused(repo, GitMissingError, /install git/);
  });

  it('where the folder cannot be made', async () => {
    const repo = await folder.init('repo');
    await folder.commit(repo);
    await writeFile(join(folder.path, 'backups'), 'in the way');
    await refused(repo, ArchiveFailedError, /archive in .*\.bundle cannot be made: ENOTDIR/);
    await expect(archive.discard(described(repo), workflowId)).rejects.toThrow(ArchiveFailedError);
  });
});

describe('an interrupted bundle', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  // Makes the bundle in a process of its own; prints what it is, or why there is none.
  const script = `
    import { background } from '@samovar/context';
    import { Archive } from './src/archive.ts';
    import { Git } from './src/git.ts';
    const [folder, repo, workflowId] = JSON.parse(process.env.TASK);
    const archive = new Archive(folder, new Git(process.env));
    const told = await archive.bundle(background, repo, workflowId).catch(({ id, message }) => ({ id, message }));
    console.log(JSON.stringify(told));
  `;

  function start(path: string, fileBlocks = 'unlimited'): ChildProcess & { stdout: NodeJS.ReadableStream } {
    const node = [process.execPath, '--conditions=@samovar/source', '--input-type=module', '-e', script];
    const env = { ...folder.env, TASK: JSON.stringify([archiveDir, described(path), workflowId]) };
    const cwd = resolve(import.meta.dirname, '..');
    const shell = ['-c', `ulimit -f ${fileBlocks}; exec "$0" "$@"`, ...node];
    const child = spawn('sh', shell, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  }

  it('by kill -9 leaves drafts only, which the next attempt removes, and so does discarding', async () => {
    const path = await folder.init('repo');
    await folder.fill(path, 50_000);
    for (const next of [() => bundle(path), () => archive.discard(described(path), workflowId)]) {
      await archive.discard(described(path), workflowId);
      const child = start(path);
      await vi.waitUntil(async () => (await files()).length > 0, { timeout: 20_000, interval: 1 });
      child.kill('SIGKILL');
      await once(child, 'close');
      const left = await files();
      expect(left.length).toBeGreaterThan(0);
      expect(left.filter((name) => name.endsWith('.tmp'))).toEqual(left);
      await next();
      expect((await files()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
  }, 60_000);

  it('by its context leaves nothing', async () => {
    const path = await folder.init('repo');
    await folder.fill(path, 50_000);
    using scope = withCancel(background);
    const attempt = bundle(path, 'tea', scope.ctx);
    const refusal = expect(attempt).rejects.toThrow(CanceledError);
    await vi.waitUntil(async () => (await files()).length > 0, { timeout: 20_000, interval: 1 });
    scope.cancel();
    await refusal;
    expect(await files()).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('by a full disk leaves nothing, and says so', async () => {
    const { path } = await packed();
    expect(await json(start(path, '64').stdout)).toEqual({
      id: 'repos.archiveFailed',
      message: expect.stringMatching(/^the archive in .*\.bundle cannot be made: EFBIG/),
    });
    expect(await files()).toEqual([]);
    await bundle(path);
  });
});
