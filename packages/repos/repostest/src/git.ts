import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Commit } from '@samovar/repos';

export interface GitOptions {
  /** What git reads. Default: nothing. */
  readonly input?: string | Uint8Array | Iterable<string>;
  /** Variables beside the folder's own. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A temporary folder for real git repositories, out of reach of the user's git configuration. Disposal removes it. */
export class GitFolder implements AsyncDisposable {
  /** Its real path. */
  readonly path: string;
  /** The environment for git here; the global configuration is {@link configure}'s. */
  readonly env: NodeJS.ProcessEnv;

  #commits = 0;

  private constructor(path: string) {
    this.path = path;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
    this.env = {
      ...Object.fromEntries(own),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: join(path, '.gitconfig'),
      GIT_CEILING_DIRECTORIES: path,
    };
  }

  static async make(): Promise<GitFolder> {
    const folder = new GitFolder(await realpath(await mkdtemp(join(tmpdir(), 'samovar-git-'))));
    await folder.configure('[init]\n\tdefaultBranch = main\n[user]\n\tname = Ann\n\temail = ann@example.org\n');
    return folder;
  }

  /** Writes the global configuration, in place of what it was. */
  async configure(text: string): Promise<void> {
    await writeFile(join(this.path, '.gitconfig'), text);
  }

  /** Makes a repository on the branch `main`; gives its path. */
  async init(name: string, ...options: readonly string[]): Promise<string> {
    const path = join(this.path, name);
    await this.run(this.path, ['init', '-q', '-b', 'main', ...options, path]);
    return path;
  }

  /** Runs git in `path`; gives what it prints, without the line break at the end. Rejects when git fails. */
  async run(path: string, args: readonly string[], { input = '', env = {} }: GitOptions = {}): Promise<string> {
    const child = spawn('git', ['-C', path, ...args], { env: { ...this.env, ...env }, stdio: 'pipe' });
    let [output, complaint] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    const written = pipeline(
      Readable.from(typeof input === 'string' || input instanceof Uint8Array ? [input] : input),
      child.stdin,
    );
    const [code] = await Promise.all([exited, written.catch(() => {})]);
    if (code !== 0) throw new Error(`git ${args.join(' ')} failed: ${complaint}`);
    return output.replace(/\n$/, '');
  }

  /** Commits nothing but a message on HEAD, one never used before unless it is given; gives the hash. */
  async commit(
    path: string,
    commit: Partial<Pick<Commit, 'author' | 'committedAt' | 'subject'>> = {},
  ): Promise<string> {
    const { author = { name: 'Ann', email: 'ann@example.org' }, committedAt = '2001-02-03T04:05:06Z' } = commit;
    const env = { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email, GIT_COMMITTER_DATE: committedAt };
    const args = ['commit', '-q', '--allow-empty', '--allow-empty-message', '-F', '-'];
    await this.run(path, args, { input: commit.subject ?? `Change ${++this.#commits}`, env });
    return this.run(path, ['rev-parse', 'HEAD']);
  }

  /** Commits a file on HEAD; gives the hash. Default: it holds its name. */
  async commitFile(path: string, name: string, text = name): Promise<string> {
    await writeFile(join(path, name), text);
    await this.run(path, ['add', '--', name]);
    await this.run(path, ['commit', '-q', '-m', `Add ${name}`]);
    return this.run(path, ['rev-parse', 'HEAD']);
  }

  /** Commits `count` times on `main` in one go, every seventh time a merge. */
  async fill(path: string, count: number): Promise<void> {
    await this.run(path, ['fast-import', '--quiet', '--force', '--done'], { input: history(count) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

function* history(count: number): Generator<string> {
  for (let n = 1; n <= count; n++) {
    const message = `Change ${n} of ${count}\n\nWhy it was made.\n`;
    yield `commit refs/heads/main\nmark :${n}\ncommitter Ann <ann@example.org> ${1_000_000_000 + n} +0000\n`;
    yield `data ${message.length}\n${message}`;
    if (n > 1) yield `from :${n - 1}\n`;
    if (n > 7 && n % 7 === 0) yield `merge :${n - 5}\n`;
  }
  yield 'done\n';
}
