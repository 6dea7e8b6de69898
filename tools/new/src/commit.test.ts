import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commit } from './commit.ts';
import { readFiles, writeFiles } from './fixture.ts';

const before = { 'packages/tea/a.ts': 'old', 'lock.yaml': 'locked' };
const plan = {
  created: new Map([
    ['packages/pot/pot/b.ts', 'b'],
    ['packages/tea/c.ts', 'c'],
  ]),
  edited: new Map([['packages/tea/a.ts', 'new']]),
};

describe('commit', () => {
  it('writes everything before what comes afterwards', async () => {
    const root = writeFiles(before);
    const after = {
      'packages/pot/pot/b.ts': 'b',
      'packages/tea/c.ts': 'c',
      'packages/tea/a.ts': 'new',
      'lock.yaml': 'locked',
    };
    await commit(root, plan, [], async () => expect(readFiles(root)).toEqual(after));
    expect(readFiles(root)).toEqual(after);
  });

  it('leaves all as it was if what comes afterwards fails, with what that has written', async () => {
    const root = writeFiles(before);
    const attempt = commit(root, plan, ['lock.yaml', 'made.md'], async () => {
      writeFileSync(join(root, 'lock.yaml'), 'changed');
      writeFileSync(join(root, 'made.md'), '');
      mkdirSync(join(root, 'packages/pot/pot/node_modules'));
      writeFileSync(join(root, 'packages/pot/pot/node_modules/x'), '');
      throw new Error('it fails');
    });
    await expect(attempt).rejects.toThrow('it fails');
    expect(readFiles(root)).toEqual(before);
    expect(existsSync(join(root, 'packages/pot'))).toBe(false);
  });

  it('leaves all as it was if a file cannot be written', async () => {
    const root = writeFiles({ ...before, 'packages/pot': 'a file where a folder is to be' });
    await expect(commit(root, plan, [], async () => {})).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(readFiles(root)).toEqual({ ...before, 'packages/pot': 'a file where a folder is to be' });
  });

  it('refuses to overwrite', async () => {
    const root = writeFiles({ ...before, 'packages/tea/c.ts': 'mine' });
    await expect(commit(root, plan, [], async () => {})).rejects.toThrow('packages/tea/c.ts is there already');
    expect(readFiles(root)).toEqual({ ...before, 'packages/tea/c.ts': 'mine' });
  });
});
