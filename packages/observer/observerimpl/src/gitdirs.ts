import { readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Where a repository keeps what changes. Real paths. */
export interface GitDirs {
  /** What belongs to the work tree, such as HEAD. */
  readonly own: string;
  /** What all work trees of the repository share, such as references; the same as `own` unless it is a linked one. */
  readonly common: string;
}

/** Of the repository at `path`. Rejects if it is damaged or gone. */
export async function readGitDirs(path: string): Promise<GitDirs> {
  const own = await realpath(await findOwn(path));
  const common = await readFile(join(own, 'commondir'), 'utf8').catch(() => '.');
  return { own, common: await realpath(resolve(own, withoutLineBreak(common))) };
}

async function findOwn(path: string): Promise<string> {
  const entry = join(path, '.git');
  const stats = await stat(entry).catch(() => undefined);
  if (stats === undefined) return path;
  if (stats.isDirectory()) return entry;
  return resolve(path, withoutLineBreak((await readFile(entry, 'utf8')).replace(/^gitdir: /, '')));
}

function withoutLineBreak(text: string): string {
  return text.replace(/[\r\n]+$/, '');
}
