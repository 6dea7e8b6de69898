import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { background, CanceledError, withCancel } from '@samovar/context';
import { NotAFolderError } from '@samovar/observer';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findRepositories } from './find.ts';

let folder: GitFolder;
beforeEach(async () => {
  folder = await GitFolder.make();
});
afterEach(() => folder[Symbol.asyncDispose]());

async function names(...folders: readonly string[]): Promise<string[]> {
  const { repositories } = await findRepositories(background, folders.length > 0 ? folders : [folder.path]);
  return repositories.map(({ name }) => name);
}

it('finds work trees, bare repositories and nested ones', async () => {
  await folder.init('a');
  await folder.init('b.git', '--bare');
  await mkdir(join(folder.path, 'deep', 'er'), { recursive: true });
  await folder.init('deep/er/c d');
  await folder.init('a/vendor/nested');
  await folder.init('a/node_modules/dependency');
  await folder.init('apart', '--separate-git-dir', join(folder.path, 'a', '.git', 'elsewhere'));
  expect(await names()).toEqual(['a', 'a/vendor/nested', 'apart', 'b.git', 'deep/er/c d']);
});

it('finds the repository in its own folder, also a bare one', async () => {
  const bare = await folder.init('b.git', '--bare');
  expect(await names(bare)).toEqual(['b.git']);
  expect(await names(await folder.init('a'))).toEqual(['a']);
});

it('does not follow links, so that loops do not matter', async () => {
  const path = await folder.init('a');
  await symlink(folder.path, join(path, 'loop'));
  await symlink(path, join(folder.path, 'again'));
  expect(await names()).toEqual(['a']);
  expect(await names(join(folder.path, 'again'))).toEqual(['a']);
});

it('counts linked work trees once: as the main one, where that is there', async () => {
  const main = await folder.init('in/main');
  await folder.commit(main);
  await mkdir(join(folder.path, 'out'));
  for (const name of ['in/linked', 'out/x', 'out/y']) {
    await folder.run(main, ['worktree', 'add', '-q', '--detach', join(folder.path, name)]);
  }
  expect(await names(join(folder.path, 'in'))).toEqual(['main']);
  expect(await names(join(folder.path, 'out'))).toEqual(['x']);
  expect(await names(join(folder.path, 'out'), join(folder.path, 'in'))).toEqual(['main']);
});

it('counts a bare repository and the folder that points to it once', async () => {
  await mkdir(join(folder.path, 'hub'));
  await folder.init('hub/.bare', '--bare');
  await writeFile(join(folder.path, 'hub', '.git'), 'gitdir: ./.bare\n');
  expect(await names()).toEqual(['hub']);
});

it('counts submodules as repositories of their own', async () => {
  const part = await folder.init('part');
  await folder.commit(part);
  const whole = await folder.init('whole');
  await folder.run(whole, ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'sub']);
  expect(await names()).toEqual(['part', 'whole', 'whole/sub']);
});

it('finds damaged ones too, so that they can be named', async () => {
  await folder.init('good');
  const bad = await folder.init('bad');
  await rm(join(bad, '.git', 'HEAD'));
  await mkdir(join(folder.path, 'dangling'));
  await writeFile(join(folder.path, 'dangling', '.git'), 'gitdir: /no/such/place\n');
  expect(await names()).toEqual(['bad', 'dangling', 'good']);
});

it('takes a folder in a work tree for that, unless there is a repository below', async () => {
  const path = await folder.init('a');
  await mkdir(join(path, 'src', 'deep'), { recursive: true });
  expect(await names(join(path, 'src', 'deep'))).toEqual(['a']);
  await folder.init('a/src/deep/nested');
  expect(await names(join(path, 'src'))).toEqual(['deep/nested']);
});

it('skips folders that it may not read, and says which', async () => {
  await folder.init('a');
  const closed = join(folder.path, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o000);
  await chmod(folder.path, 0o755);
  // root may read everything.
  const user = process.getuid?.() ?? 0;
  if (user === 0) process.seteuid?.(65_534);
  try {
    const { repositories, unreadable } = await findRepositories(background, [folder.path]);
    expect(repositories).toMatchObject([{ name: 'a' }]);
    expect(unreadable).toEqual([closed]);
    await expect(findRepositories(background, [closed])).rejects.toThrow(NotAFolderError);
  } finally {
    if (user === 0) process.seteuid?.(0);
  }
});

it.each(['missing', 'file'])('refuses what is no folder: %s', async (name) => {
  await writeFile(join(folder.path, 'file'), '');
  await expect(findRepositories(background, [join(folder.path, name)])).rejects.toThrow(NotAFolderError);
});

it('ends with its context', async () => {
  using scope = withCancel(background);
  scope.cancel();
  await expect(findRepositories(scope.ctx, [folder.path])).rejects.toThrow(CanceledError);
});
