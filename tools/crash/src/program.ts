import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Milliseconds that a program may be silent, and take to finish. */
const patience = 120_000;

/** A process of its own that says lines of JSON. */
export class Program {
  readonly #name: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<unknown>;
  #heard = Promise.withResolvers<void>();

  /** `onLine` gets what it says; a line that a kill has cut off is left out. `name` is for errors. */
  constructor(name: string, file: string, args: readonly string[], onLine: (line: unknown) => void) {
    this.#name = name;
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#process = spawn(process.execPath, ['--conditions=@samovar/source', path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // Whoever was killed cannot be told to finish.
    this.#process.stdin.on('error', () => {});
    const lines = createInterface({ input: this.#process.stdout });
    lines.on('line', (line) => {
      if (!line.endsWith('}')) return;
      onLine(JSON.parse(line));
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
    this.#closed = Promise.all([once(lines, 'close'), once(this.#process, 'exit')]);
  }

  /** Resolves with the next that it says. @throws {Error} if it ends before, or is silent for too long. */
  async speaks(): Promise<void> {
    const ended = this.#closed.then(() => this.#fail('has ended by itself'));
    await Promise.race([this.#heard.promise, ended, this.#late('is silent')]);
  }

  /** @throws {Error} if it has ended by itself before. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null) this.#fail('has ended by itself');
    this.#process.kill('SIGKILL');
    await this.#closed;
  }

  /** Lets it come to its end. @throws {Error} if that is no clean one, or takes too long. */
  async finish(): Promise<void> {
    this.#process.stdin.end();
    await Promise.race([this.#closed, this.#late('does not finish')]);
    if (this.#process.exitCode !== 0) this.#fail('has not ended well');
  }

  async #late(what: string): Promise<never> {
    await once(AbortSignal.timeout(patience), 'abort');
    return this.#fail(what);
  }

  #fail(what: string): never {
    throw new Error(`${this.#name} ${what} (exit code ${this.#process.exitCode})`);
  }
}
