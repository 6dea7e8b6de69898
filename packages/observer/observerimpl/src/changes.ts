import { basename, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import { readGitDirs } from './gitdirs.ts';

export interface ChangeListener {
  /** Something has changed. */
  changed(): void;
  /** Watching does not work, or not everywhere. */
  failed(error: unknown): void;
}

/** Watches what git writes when a commit, a branch or HEAD comes, moves or goes. Disposal ends it. */
export class Changes implements AsyncDisposable {
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  /**
   * Of the repository at `path`: from when this resolves, no change is missed, unless watching has failed. Rejects if
   * there is no repository.
   */
  static async watch(path: string, listener: ChangeListener): Promise<Changes> {
    const { own, common } = await readGitDirs(path);
    const dirs = own === common ? [own] : [own, common];
    const watcher = watch(dirs, {
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      ignored: (changed) => !dirs.some((dir) => matters(relative(dir, changed))),
    });
    watcher.on('all', () => listener.changed());
    watcher.on('error', (error) => listener.failed(error));
    await new Promise<void>((resolve) => watcher.once('ready', resolve).once('error', () => resolve()));
    return new Changes(() => watcher.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

const telling = new Set(['', 'HEAD', 'packed-refs', 'shallow', 'refs', 'reftable']);

/** Whether a path of a git directory tells of its history. Objects do not: they come long before what refers to them. */
function matters(path: string): boolean {
  if (path.endsWith('.lock')) return false;
  const [first = '', ...rest] = path.split(sep);
  // The HEADs of linked work trees: worktrees/<name>/HEAD.
  if (first === 'worktrees') return rest.length < 2 || (rest.length === 2 && basename(path) === 'HEAD');
  return telling.has(first);
}
