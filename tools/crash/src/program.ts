import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A process of its own that says lines of JSON. */
export class Program {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<unknown>;
  #said = 0;
  #heard = Promise.withResolvers<void>();

  /** `onLine` gets what it says; a line that a kill has cut off is left out. */
  constructor(file: string, args: readonly string[], onLine: (line: unknown) => void) {
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
      this.#said++;
      this.#hear();
    });
    this.#closed = Promise.all([once(lines, 'close'), once(this.#process, 'exit')]).then(() => this.#hear());
  }

  /** Resolves when it has said something. @throws {Error} if it ends before. */
  async begun(): Promise<void> {
    while (this.#said === 0) {
      if (this.#process.exitCode !== null) throw new Error(`it ended by itself with ${this.#process.exitCode}`);
      await this.#heard.promise;
    }
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }

  /** Lets it come to its end. @throws {Error} if that is no clean one. */
  async finish(): Promise<void> {
    this.#process.stdin.end();
    await this.#closed;
    if (this.#process.exitCode !== 0) throw new Error(`it ended with ${this.#process.exitCode}`);
  }

  #hear(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }
}
