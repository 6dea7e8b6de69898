import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { background } from '@samovar/context';
import { type Conn, type ConnectOptions, Data, type Event, type NewEvent } from '@samovar/eda';
import { NatsServer } from '@samovar/edatest/nats';
import { onTestFinished, vi } from 'vitest';
import { connectNats } from './src/edanats.ts';

/** Empties an iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const read = (conn: Conn, selector: string): Promise<Event[]> => collect(conn.read(background, selector));

/** An event that carries a number. */
export const pour = (n: number): NewEvent => ({ type: 'tea.Poured', data: Data.json(n) });

export const numbersOf = (events: readonly Event[]): number[] => events.map(({ data }) => data.json<number>());

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

/** A server of the running test. */
export async function ownServer(settings?: string): Promise<NatsServer> {
  const own = await NatsServer.start(settings);
  onTestFinished(() => own[Symbol.asyncDispose]());
  return own;
}

/** A connection of the running test; with `elsewhere`, one that shares nothing in this process with the others. */
export async function connected(server: NatsServer, options: ConnectOptions, elsewhere = false): Promise<Conn> {
  const url = elsewhere ? server.url.replace('127.0.0.1', 'localhost') : server.url;
  const conn = await connectNats(url, { logger: null, ...options });
  onTestFinished(() => conn.close());
  return conn;
}

/** Another process of the running test that has a log open as `conn`, runs `code`, and says what it gives to `say`. */
export class Child {
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(server: NatsServer, cluster: string, code: string) {
    const program = `
      import { writeSync } from 'node:fs';
      import { background as ctx } from '@samovar/context';
      import { Data } from '@samovar/eda';
      const { connectNats } = await import('./src/edanats.ts');
      const say = (text) => writeSync(1, text + '\\n');
      const conn = await connectNats('${server.url}', { cluster: '${cluster}', logger: null });
      ${code}`;
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    const cwd = import.meta.dirname;
    this.#process = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.said.push(line));
    this.#closed = once(lines, 'close');
    onTestFinished(() => this.kill());
  }

  /** Resolves when it has said this much. */
  async says(count: number): Promise<void> {
    await vi.waitUntil(() => this.said.length >= count, { timeout: 20_000, interval: 1 });
  }

  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }
}
