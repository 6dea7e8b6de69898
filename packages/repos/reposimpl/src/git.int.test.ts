import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { background, CanceledError, withCancel } from '@samovar/context';
import { type Commit, GitMissingError, NotARepositoryError } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Git } from './git.ts';

let folder: GitFolder;
let git: Git;
beforeEach(async () => {
  folder = await GitFolder.make();
  git = new Git(folder.env);
});
afterEach(() => folder[Symbol.asyncDispose]());

async function commitsOf(path: string, from: readonly string[], without: readonly string[] = []): Promise<Commit[]> {
  const commits: Commit[] = [];
  for await (const some of git.commits(background, path, { from, without })) commits.push(...some);
  return commits;
}

describe('locate', () => {
  const located = async (path: string) => (await git.locate(background, path)).path;

  it.each(['plain', 'with space', 'zażółć 🎉', 'line\nbreak', '-dash', "quo'te"])('finds %j', async (name) => {
    const path = await folder.init(name);
    expect(await located(path)).toBe(path);
    expect(await located(join(path, '.git'))).toBe(path);
    const bare = await folder.init(`${name}.git`, '--bare');
    expect(await located(bare)).toBe(bare);
  });

  it('finds work trees whose repository is elsewhere, and through links', async () => {
    const path = await folder.init('main');
    await folder.commit(path);
    const linked = join(folder.path, 'linked');
    await folder.run(path, ['worktree', 'add', '-q', linked]);
    expect(await located(linked)).toBe(linked);
    const apart = await folder.init('apart', '--separate-git-dir', join(folder.path, 'elsewhere'));
    expect(await located(apart)).toBe(apart);
    await symlink(path, join(folder.path, 'link'));
    expect(await located(join(folder.path, 'link'))).toBe(path);
    const hub = join(folder.path, 'hub');
    await mkdir(hub);
    await rename(await folder.init('hidden', '--bare'), join(hub, '.bare'));
    await writeFile(join(hub, '.git'), 'gitdir: ./.bare\n');
    expect(await located(hub)).toBe(hub);
  });

  it('refuses what is no repository, and says why', async () => {
    const path = await folder.init('main');
    await mkdir(join(path, 'src'));
    await writeFile(join(path, 'file'), '');
    await mkdir(join(folder.path, 'empty'));
    const reasons: [string, RegExp][] = [
      [join(path, 'src'), /inside the repository .*main; name that one/],
      [join(path, '.git', 'refs'), /inside the repository .*main/],
      [join(path, 'file'), /a file, not a folder/],
      [join(path, 'file', 'below'), /there is nothing/],
      [join(folder.path, 'missing'), /there is nothing/],
      [join(folder.path, 'empty'), /no repository in this folder/],
      ['main', /no absolute path/],
      ['/a\0b', /NUL/],
    ];
    for (const [bad, reason] of reasons) {
      const attempt = git.locate(background, bad);
      await expect(attempt).rejects.toThrow(NotARepositoryError);
      await expect(attempt).rejects.toThrow(reason);
    }
  });

  it('passes on what git says of a broken one', async () => {
    const path = await folder.init('main');
    await writeFile(join(path, '.git', 'config'), '[core\nnonsense');
    await expect(git.locate(background, path)).rejects.toThrow(/main is not a git repository: bad config line 1/);
  });

  it.runIf(process.getuid?.() === 0)('names the mend for a repository of another user', async () => {
    const path = await folder.init('main');
    const { chownSync } = await import('node:fs');
    chownSync(path, 4321, 4321);
    chownSync(join(path, '.git'), 4321, 4321);
    await expect(git.locate(background, path)).rejects.toThrow(
      /belongs to another user.*git config --global --add safe\.directory \S+main$/,
    );
  });

  it('sees where a shallow clone ends', async () => {
    const path = await folder.init('main');
    await folder.fill(path, 3);
    await folder.run(folder.path, ['clone', '-q', '--depth', '1', `file://${path}`, 'shallow']);
    const shallow = join(folder.path, 'shallow');
    const tip = await folder.run(path, ['rev-parse', 'main']);
    expect(await git.locate(background, shallow)).toEqual({ path: shallow, boundary: `${tip}\n` });
    expect(await git.locate(background, path)).toEqual({ path, boundary: '' });
    const linked = join(folder.path, 'linked');
    await folder.run(shallow, ['worktree', 'add', '-q', '--detach', linked]);
    expect(await git.locate(background, linked)).toEqual({ path: linked, boundary: `${tip}\n` });
  });
});

describe('git', () => {
  it('may be missing', async () => {
    const path = await folder.init('main');
    const without = new Git({ ...folder.env, PATH: folder.path });
    await expect(without.locate(background, path)).rejects.toThrow(GitMissingError);
    await expect(without.tips(background, path)).rejects.toThrow(/install git/);
  });

  it('is not led astray by the environment it is started in', async () => {
    const [path, other] = [await folder.init('main'), await folder.init('other')];
    const hash = await folder.commit(path);
    await folder.commit(other);
    const astray = new Git({
      ...folder.env,
      GIT_DIR: join(other, '.git'),
      GIT_WORK_TREE: other,
      GIT_INDEX_FILE: join(other, '.git', 'index'),
      GIT_OBJECT_DIRECTORY: join(other, '.git', 'objects'),
      GIT_TRACE: '1',
    });
    expect(await astray.locate(background, path)).toMatchObject({ path });
    expect(await astray.head(background, path)).toEqual({ ref: 'refs/heads/main', hash });
  });

  it('is ended with the context, in the middle of its output', async () => {
    const path = await folder.init('main');
    await folder.fill(path, 5000);
    const tips = await git.tips(background, path);
    using scope = withCancel(background);
    const reading = (async () => {
      for await (const _ of git.commits(scope.ctx, path, { from: tips, without: [] })) scope.cancel();
    })();
    await expect(reading).rejects.toThrow(CanceledError);
  });
});

describe('head and tips', () => {
  it('are those of a repository in any state', async () => {
    const path = await folder.init('main');
    expect(await git.head(background, path)).toEqual({ ref: 'refs/heads/main', hash: null });
    expect(await git.tips(background, path)).toEqual(new Set());
    const one = await folder.commit(path);
    const blob = await folder.run(path, ['hash-object', '-w', '--stdin'], { input: 'text' });
    await folder.run(path, ['tag', 'of-a-blob', blob]);
    await folder.run(path, ['tag', 'of-a-tree', 'HEAD^{tree}']);
    await folder.run(path, ['tag', '-a', '-m', 'annotated', 'v1']);
    expect(await git.tips(background, path)).toEqual(new Set([one]));
    await folder.run(path, ['checkout', '-q', '--detach']);
    const two = await folder.commit(path);
    expect(await git.head(background, path)).toEqual({ ref: null, hash: two });
    expect(await git.tips(background, path)).toEqual(new Set([one, two]));
    await folder.run(path, ['checkout', '-q', '--orphan', 'unborn']);
    expect(await git.head(background, path)).toEqual({ ref: 'refs/heads/unborn', hash: null });
  });

  it('include the HEADs of linked work trees', async () => {
    const path = await folder.init('main');
    await folder.commit(path);
    const linked = join(folder.path, 'linked');
    await folder.run(path, ['worktree', 'add', '-q', '--detach', linked]);
    const hash = await folder.commit(linked);
    expect(await git.tips(background, path)).toContain(hash);
    expect(await git.head(background, linked)).toEqual({ ref: null, hash });
  });
});

describe('commits', () => {
  it('come parents first, with their texts as Unicode', async () => {
    const path = await folder.init('main');
    const author = { name: 'Zoë', email: 'z@example.org' };
    const emoji = await folder.commit(path, { subject: 'ship it 🎉\nin two lines\n\nand a body', author });
    await folder.run(path, ['-c', 'i18n.commitEncoding=ISO-8859-1', 'commit', '-q', '--allow-empty', '-F', '-'], {
      input: Buffer.from('caf\xe9 declared', 'latin1'),
    });
    const [tip = ''] = await git.tips(background, path);
    const commits = await commitsOf(path, [tip]);
    expect(commits).toMatchObject([
      { hash: emoji, parents: [], author, subject: 'ship it 🎉 in two lines' },
      { hash: tip, parents: [emoji], subject: 'café declared' },
    ]);
    expect(await commitsOf(path, [tip], [emoji])).toHaveLength(1);
    expect(await git.count(background, path, { from: [tip], without: [] })).toBe(2);
  });

  it('are what they are, whatever the user has configured', async () => {
    const path = await folder.init('main');
    await folder.commit(path);
    const [tip = ''] = await git.tips(background, path);
    const before = await commitsOf(path, [tip]);
    await writeFile(join(path, '.mailmap'), 'Mapped <mapped@example.org> <ann@example.org>\n');
    await folder.configure(
      `[log]\n\tshowSignature = true\n\tmailmap = true\n\tdate = relative\n\tdecorate = full\n[color]\n\tui = always
[i18n]\n\tlogOutputEncoding = ISO-8859-1\n[format]\n\tpretty = oneline\n[core]\n\tabbrev = 5\n\tpager = false\n`,
    );
    expect(await commitsOf(path, [tip])).toEqual(before);
  });

  it('of a SHA-256 repository have names of 64 digits', async () => {
    const path = await folder.init('main', '--object-format=sha256');
    const hash = await folder.commit(path);
    expect(await commitsOf(path, [...(await git.tips(background, path))])).toMatchObject([{ hash }]);
    expect(hash).toHaveLength(64);
  });

  it('show the parents they were made with, not grafts and replacements', async () => {
    const path = await folder.init('main');
    const [one, two] = [await folder.commit(path), await folder.commit(path)];
    await folder.run(path, ['replace', '--graft', two]);
    await mkdir(join(path, '.git', 'info'), { recursive: true });
    await writeFile(join(path, '.git', 'info', 'grafts'), `${two}\n`);
    expect(await commitsOf(path, [two])).toMatchObject([{ hash: one }, { hash: two, parents: [one] }]);
  });
});

describe('parents', () => {
  it('are given of those that are there', async () => {
    const path = await folder.init('main');
    const [one, two] = [await folder.commit(path), await folder.commit(path)];
    const gone = '1'.repeat(40);
    expect(await git.parents(background, path, [two, gone, one])).toEqual(
      new Map([
        [two, [one]],
        [one, []],
      ]),
    );
    expect(await git.parents(background, path, [])).toEqual(new Map());
    expect(await git.parents(background, path, [gone])).toEqual(new Map());
  });
});

it.skipIf(process.platform === 'win32')('ends git and what it has started when the context is done', async () => {
  const path = await folder.init('repo');
  await mkdir(join(folder.path, 'bin'));
  // What tells that it has begun is what git has started.
  const script = '#!/bin/sh\nsh -c "echo begun; exec sleep 1000"\necho over\n';
  await writeFile(join(folder.path, 'bin', 'git'), script, { mode: 0o755 });
  const slow = new Git({ ...folder.env, PATH: `${join(folder.path, 'bin')}:${process.env.PATH}` });
  using scope = withCancel(background);
  const attempt = async () => {
    for await (const _ of slow.bundle(scope.ctx, path)) scope.cancel();
  };
  await expect(attempt()).rejects.toThrow(CanceledError);
});
