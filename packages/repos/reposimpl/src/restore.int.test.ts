import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { background } from '@samovar/context';
import { type Bundle, Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Archive } from './archive.ts';
import { Git } from './git.ts';

const workflowId = Uuid.parse('11111111-1111-4111-8111-111111111111');

let folder: GitFolder;
beforeEach(async () => {
  folder = await GitFolder.make();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** Bundles the repository, and compares what git makes of that with it. */
async function expectRestored(path: string): Promise<Bundle> {
  const repo = { repoId: workflowId, registry: 'main', name: 'tea', path };
  const archive = new Archive(join(folder.path, 'archive'), new Git(folder.env));
  const made = await archive.bundle(background, repo, workflowId);
  const git = (at: string, ...args: string[]) => folder.run(join(folder.path, at), args);
  await git('.', 'clone', '-q', '--mirror', made.path, 'mirror');
  await git('mirror', 'fsck', '--full', '--strict');
  for (const ask of [['for-each-ref'], ['rev-list', '--glob=refs/*', '--objects']]) {
    expect(await git('mirror', ...ask)).toBe(await folder.run(path, ask));
  }
  await git('.', 'clone', '-q', made.path, 'clone');
  const head = await folder.run(path, ['rev-parse', '-q', '--verify', 'HEAD']).catch(() => undefined);
  if (head !== undefined) {
    expect(await git('clone', 'rev-parse', 'HEAD')).toBe(head);
    const files = ['ls-tree', '-r', 'HEAD'];
    expect(await git('clone', ...files)).toBe(await folder.run(path, files));
    expect(await git('clone', 'status', '--porcelain')).toBe('');
  }
  return made;
}

describe('a bundle restores', () => {
  const kinds: Record<string, (path: string) => Promise<unknown>> = {
    'branches, merges, notes, a stash and remote ones': async (path) => {
      await folder.run(path, ['checkout', '-q', '-b', 'side']);
      await folder.commitFile(path, 'side');
      await folder.run(path, ['checkout', '-q', 'main']);
      await folder.commitFile(path, 'more');
      await folder.run(path, ['merge', '-q', '-m', 'Merge', 'side']);
      await folder.run(path, ['notes', 'add', '-m', 'a note']);
      await folder.run(path, ['update-ref', 'refs/remotes/origin/main', 'main~1']);
      await writeFile(join(path, 'more'), 'stashed');
      await folder.run(path, ['stash', '-q']);
    },
    'a detached HEAD that no branch reaches': async (path) => {
      await folder.run(path, ['checkout', '-q', '--detach']);
      await folder.commitFile(path, 'detached');
    },
    'other branches where HEAD has no commit': (path) => folder.run(path, ['checkout', '-q', '--orphan', 'unborn']),
    'tags only, of commits, files and tags': async (path) => {
      await folder.run(path, ['tag', '-a', '-m', 'v1', 'v1']);
      await folder.run(path, ['tag', '-a', '-m', 'tag of a tag', 'v1-signed', 'v1']);
      await folder.run(path, ['tag', 'file', 'main:first']);
      await folder.run(path, ['checkout', '-q', '--orphan', 'unborn']);
      await folder.run(path, ['branch', '-D', 'main']);
    },
    'packed references and objects': async (path) => {
      await folder.fill(path, 300);
      await folder.run(path, ['gc', '-q']);
    },
    'what is replaced and what replaces it': async (path) => {
      await folder.commitFile(path, 'second');
      await folder.run(path, ['replace', '--graft', 'HEAD']);
    },
  };

  it.each(Object.keys(kinds))('%s', async (kind) => {
    const path = await folder.init('repo');
    await folder.commitFile(path, 'first');
    await kinds[kind]?.(path);
    await expectRestored(path);
  });

  it('a bare repository, and one with SHA-256', async () => {
    const path = await folder.init('repo', '--object-format=sha256');
    await folder.commitFile(path, 'first');
    await folder.run(folder.path, ['clone', '-q', '--mirror', path, 'bare.git']);
    await expectRestored(join(folder.path, 'bare.git'));
  });

  it('what is checked out in linked work trees', async () => {
    const path = await folder.init('repo');
    await folder.commitFile(path, 'first');
    const linked = join(folder.path, 'linked');
    await folder.run(path, ['worktree', 'add', '-q', '--detach', linked]);
    const lone = await folder.commitFile(linked, 'lone');
    const { path: file } = await expectRestored(path);
    const clone = join(folder.path, 'mirror');
    await folder.run(clone, ['fetch', '-q', file, 'worktrees/linked/HEAD:refs/heads/linked']);
    expect(await folder.run(clone, ['rev-parse', 'linked'])).toBe(lone);
  });
});
