import { execFile, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';

const exec = promisify(execFile);
const workspace = resolve(import.meta.dirname, '../../..');

export interface Result {
  readonly code: number | null;
  /** Standard output and error together. */
  readonly output: string;
}

export interface Started {
  /** The first match in what it has written, as soon as there is one. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Presses Ctrl-C. */
  stop(): Promise<Result>;
}

/** A copy of this workspace as a developer has it after a checkout and an installation. Disposal removes it. */
export class Scratch implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Also what git does not know yet is copied, but for what it ignores. */
  static async make(): Promise<Scratch> {
    const { stdout } = await exec('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: workspace,
      maxBuffer: 2 ** 26,
    });
    const root = mkdtempSync(join(tmpdir(), 'samovar-scratch-'));
    // PostgreSQL does not run as root, and its programs are in here.
    chmodSync(root, 0o755);
    for (const path of new Set(stdout.split('\0'))) {
      if (path === '' || !existsSync(join(workspace, path))) continue;
      mkdirSync(dirname(join(root, path)), { recursive: true });
      copyFileSync(join(workspace, path), join(root, path));
    }
    const scratch = new Scratch(root);
    const { code, output } = await scratch.run('pnpm', 'install', '--prefer-offline', '--no-frozen-lockfile');
    if (code === 0) return scratch;
    await scratch[Symbol.asyncDispose]();
    throw new Error(output);
  }

  /** Runs a program of the copy, or of the machine, in it. Never rejects. */
  run(program: string, ...args: readonly string[]): Promise<Result> {
    return new Promise((resolve) => {
      const options = { cwd: this.root, env: this.#env, maxBuffer: 2 ** 26, timeout: 240_000 };
      const child = execFile(program, args, options, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, output: stdout + stderr }),
      );
    });
  }

  /** Starts a TypeScript file of the copy. */
  start(file: string, ...args: readonly string[]): Started {
    const options = { cwd: this.root, env: this.#env, timeout: 120_000, killSignal: 'SIGKILL' } as const;
    const child = spawn('node', ['--conditions=@samovar/source', file, ...args], options);
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const output = () => Buffer.concat(chunks).toString();
    const ended = new Promise<Result>((resolve) => child.on('close', (code) => resolve({ code, output: output() })));
    return {
      says: (pattern) =>
        vi.waitFor(
          () => {
            const match = pattern.exec(output());
            if (match === null) throw new Error(`it has not said ${pattern}:\n${output()}`);
            return match;
          },
          { timeout: 60_000 },
        ),
      stop: () => {
        child.kill('SIGINT');
        return ended;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.root, { recursive: true });
  }

  get #env(): NodeJS.ProcessEnv {
    const path = [join(this.root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
    const cache = join(this.root, 'node_modules/.cache/node');
    return {
      ...process.env,
      PATH: path,
      NODE_COMPILE_CACHE: cache,
      NO_COLOR: '1',
      TURBO_TELEMETRY_DISABLED: '1',
    };
  }
}
