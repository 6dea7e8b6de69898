import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';

/** How another process opens a log. */
export interface Opening {
  /** An expression of JavaScript that gives a Conn, or a promise of one. It may import what is installed in `folder`. */
  readonly code: string;
  readonly folder: string;
}

/** Another process that has a log open as `conn`, runs some code, and says what that gives to `say`. */
export class LogProcess {
  /** Lines. */
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  /** `code` is an ES module's, with `ctx` (the background context), `Data`, `conn` and `say(text)`. */
  constructor({ code: open, folder }: Opening, code: string) {
    const program = `
      import { writeSync } from 'node:fs';
      import { background as ctx } from '@samovar/context';
      import { Data } from '@samovar/eda';
      const say = (text) => writeSync(1, text + '\\n');
      const conn = await ${open};
      ${code}`;
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    this.#process = spawn(process.execPath, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.said.push(line));
    this.#closed = once(lines, 'close');
  }

  /** Resolves when it has said this many lines. Rejects after 20 seconds. */
  async says(count: number): Promise<void> {
    await vi.waitUntil(() => this.said.length >= count, { timeout: 20_000, interval: 1 });
  }

  /** Lets it go on where it reads from its standard input. */
  nudge(): void {
    this.#process.stdin?.write('\n');
  }

  /** Resolves when it has exited, and everything that it said is in `said`. */
  async exited(): Promise<void> {
    await this.#closed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Kills it with SIGKILL. Resolves when it has exited; at once if it had. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }
}
