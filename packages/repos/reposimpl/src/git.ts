import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Context } from '@samovar/context';
import { type Commit, type Head, NotARepositoryError } from '@samovar/repos';
import { packOf } from './pack.ts';
import { GitFailedError, gitEnvironment, gitOutput, gitText } from './process.ts';
import { commitFormat, parseCommits } from './revlist.ts';

/** A repository as it stands on disk. */
export interface Place {
  /** Its real path: the top of its work tree, or of the repository where there is none. */
  readonly path: string;
  /** Which commits a shallow clone has been cut off at; '' where the history is whole. Equal texts: the same history. */
  readonly boundary: string;
}

/** Commits to list: what these reach, without what those reach. */
export interface Range {
  readonly from: Iterable<string>;
  readonly without: Iterable<string>;
}

/**
 * Asks git about repositories. Nothing depends on the user's settings, and nothing is written.
 *
 * Every method throws {@link GitMissingError}, and {@link GitFailedError} with git's words unless it says otherwise.
 */
export class Git {
  readonly #env: NodeJS.ProcessEnv;

  /** `env` is where git is looked for, and its configuration. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = gitEnvironment(env);
  }

  /** Finds the repository at `path`, not one around it. @throws {NotARepositoryError} */
  async locate(ctx: Context, path: string): Promise<Place> {
    const real = await realFolder(path);
    let answer: string;
    try {
      const ask = ['rev-parse', '--is-inside-work-tree', '--show-cdup', '--absolute-git-dir'];
      answer = await gitText(ctx, this.#env, real, ask);
    } catch (error) {
      if (!(error instanceof GitFailedError)) throw error;
      throw new NotARepositoryError(path, explain(error.words), { cause: error });
    }
    // The path comes last, as it may have line breaks in it.
    const [inWorkTree, ...lines] = answer.slice(0, -1).split('\n');
    const toTop = inWorkTree === 'true' ? lines.shift() : undefined;
    const gitDir = lines.join('\n');
    if (toTop !== undefined) {
      if (toTop !== '') throw inside(path, resolve(real, toTop));
    } else if ((await realpath(gitDir)) !== real && !(await exists(join(real, '.git')))) {
      throw inside(path, gitDir);
    } else if (basename(real) === '.git') {
      return await this.#workTreeOf(ctx, { path: real, boundary: await readBoundary(gitDir) });
    }
    return { path: real, boundary: await readBoundary(gitDir) };
  }

  /** Where HEAD is. */
  async head(ctx: Context, path: string): Promise<Head> {
    const ref = await this.#line(ctx, path, ['symbolic-ref', '-q', 'HEAD']);
    const hash = await this.#line(ctx, path, ['rev-parse', '-q', '--verify', `${ref ?? 'HEAD'}^{commit}`]);
    return { ref, hash };
  }

  /** The commits that references, HEAD and the HEADs of linked work trees are at. */
  async tips(ctx: Context, path: string): Promise<Set<string>> {
    return new Set(toLines(await gitText(ctx, this.#env, path, ['rev-list', '--no-walk=unsorted', '--all'])));
  }

  /** Those of `hashes` that the repository still has, and their parents as it shows them now. */
  async parents(ctx: Context, path: string, hashes: Iterable<string>): Promise<Map<string, string[]>> {
    const input = [...hashes].join('\n');
    if (input === '') return new Map();
    const ask = ['rev-list', '--no-walk=unsorted', '--parents', '--ignore-missing', '--stdin'];
    const lines = toLines(await gitText(ctx, this.#env, path, ask, `${input}\n`));
    return new Map(lines.map((line) => line.split(' ')).map(([hash = '', ...parents]) => [hash, parents]));
  }

  /** The commits of a range, each once, parents before children, in arrays of no particular length. */
  commits(ctx: Context, path: string, range: Range): AsyncIterable<Commit[]> {
    const ask = ['rev-list', '--topo-order', '--reverse', '--encoding=UTF-8', `--format=${commitFormat}`, '--stdin'];
    return parseCommits(gitOutput(ctx, this.#env, path, ask, toInput(range)));
  }

  /** How many {@link commits} gives. */
  async count(ctx: Context, path: string, range: Range): Promise<number> {
    return Number(await gitText(ctx, this.#env, path, ['rev-list', '--count', '--stdin'], toInput(range)));
  }

  /** A bundle of all references, HEAD and the HEADs of linked work trees, with all they reach. */
  bundle(ctx: Context, path: string): AsyncIterable<Buffer> {
    return gitOutput(ctx, this.#env, path, ['bundle', 'create', '-', '--all']);
  }

  /**
   * Fails if the bundle in `file` is damaged, or needs more than it holds. `git bundle verify` reads no further than
   * its references, and `git bundle create` copies what is damaged as it is: so all objects are unpacked, to nowhere.
   */
  async verifyBundle(ctx: Context, path: string, file: string): Promise<void> {
    await gitText(ctx, this.#env, path, ['bundle', 'verify', file]);
    await gitText(ctx, this.#env, path, ['unpack-objects', '-n', '-q'], packOf(createReadStream(file)));
  }

  async #workTreeOf(ctx: Context, place: Place): Promise<Place> {
    try {
      return await this.locate(ctx, dirname(place.path));
    } catch (error) {
      if (error instanceof NotARepositoryError) return place;
      throw error;
    }
  }

  /** One line of output, or null if git says by its exit code that there is none. */
  async #line(ctx: Context, path: string, args: readonly string[]): Promise<string | null> {
    try {
      return (await gitText(ctx, this.#env, path, args)).trimEnd();
    } catch (error) {
      if (error instanceof GitFailedError && error.exitCode === 1) return null;
      throw error;
    }
  }
}

function toInput({ from, without }: Range): string {
  return [...from, ...[...without].map((hash) => `^${hash}`)].map((line) => `${line}\n`).join('');
}

function toLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function realFolder(path: string): Promise<string> {
  if (!isAbsolute(path)) throw new NotARepositoryError(path, 'it is no absolute path');
  if (path.includes('\0')) throw new NotARepositoryError(path, 'no path has a NUL character');
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new NotARepositoryError(
      path,
      code === 'ENOENT' || code === 'ENOTDIR' ? 'there is nothing' : `it cannot be read (${code})`,
      { cause },
    );
  }
  throw new NotARepositoryError(path, 'it is a file, not a folder');
}

function inside(path: string, around: string): NotARepositoryError {
  return new NotARepositoryError(path, `it is a folder inside the repository ${around}; name that one`);
}

function explain(words: string): string {
  if (/not a git repository/i.test(words)) return 'there is no repository in this folder';
  const mend = /git config --global --add safe\.directory .+$/.exec(words)?.[0];
  return mend === undefined ? words : `it belongs to another user, so git refuses it; to trust it, run: ${mend}`;
}

async function readBoundary(gitDir: string): Promise<string> {
  const common = (await readIfThere(join(gitDir, 'commondir')))?.trimEnd() ?? '.';
  return (await readIfThere(join(resolve(gitDir, common), 'shallow'))) ?? '';
}

async function readIfThere(path: string): Promise<string | undefined> {
  return (await exists(path)) ? await readFile(path, 'utf8') : undefined;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
