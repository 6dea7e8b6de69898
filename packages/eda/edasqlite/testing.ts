import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';

/** Another process that has the log at `path` open as `conn`, runs `code`, and says what it gives to `say`. */
export class Child {
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(path: string, code: string) {
    const program = `
      import { writeSync } from 'node:fs';
      import { background as ctx } from '@samovar/context';
      import { Data } from '@samovar/eda';
      const { connectSqlite } = await import('./src/edasqlite.ts');
      const say = (text) => writeSync(1, text + '\\n');
      const conn = connectSqlite(${JSON.stringify(path)}, { logger: null });
      ${code}`;
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    const cwd = import.meta.dirname;
    this.#process = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.said.push(line));
    this.#closed = once(lines, 'close');
  }

  /** Resolves when it has said this much. */
  async says(count: number): Promise<void> {
    await vi.waitUntil(() => this.said.length >= count, { timeout: 20_000, interval: 1 });
  }

  /** Lets it go on where it reads from its standard input. */
  nudge(): void {
    this.#process.stdin?.write('\n');
  }

  async exited(): Promise<void> {
    await this.#closed;
  }

  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }
}
