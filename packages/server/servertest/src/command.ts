import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../samovar/src/main.ts', import.meta.url));

export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `samovar` command as its users run it, in a process of its own. Disposal kills it if it still runs. */
export class SamovarCommand implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<Exit>;
  #stdout = '';
  #stderr = '';
  #wake = Promise.withResolvers<void>();

  constructor(args: readonly string[], { cwd, env }: CommandOptions) {
    this.#child = spawn(process.execPath, ['--conditions=@samovar/source', main, ...args], {
      cwd,
      env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
      // A test that hangs must not leave it behind; one that kills again and again needs it for two rounds.
      timeout: 300_000,
      killSignal: 'SIGKILL',
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#hear();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#hear();
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first match of `pattern` in what it writes on standard output, as soon as it is there. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it ended without saying ${pattern}:\n${this.#stdout}\n${this.#stderr}`);
      }
      await this.#wake.promise;
    }
  }

  /** Where it serves. */
  async url(): Promise<string> {
    return (await this.says(/Samovar serves (http:\S+)/))[1] as string;
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Exit> {
    this.#child.kill(signal);
    return await this.exited;
  }

  /** Its readers go away: what it writes from now on meets a broken pipe. */
  closeOutput(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  #hear(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
