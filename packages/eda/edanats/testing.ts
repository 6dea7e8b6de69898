import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background } from '@samovar/context';
import { type Conn, type ConnectOptions, Data, type Event, type NewEvent } from '@samovar/eda';
import { onTestFinished } from 'vitest';
import { connectNats } from './src/edanats.ts';

const howTo =
  'apt-get install -y nats-server, or see https://docs.nats.io/running-a-nats-service/introduction/installation';

/** Why there is no server to test with, or undefined. In continuous integration there has to be one. */
export function lacking(): string | undefined {
  if (spawnSync('nats-server', ['--version']).status === 0) return undefined;
  const why = `nats-server is not installed: ${howTo}`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED: ${why}`);
  return why;
}

/** A server of one's own, with its store in a temporary folder. */
export class TestServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samovar-nats-'));
  readonly #settings: string;
  #process: ChildProcess | undefined;
  #port = -1;

  private constructor(settings: string) {
    this.#settings = settings;
  }

  static async start(settings = 'max_payload: 8MB'): Promise<TestServer> {
    const server = new TestServer(settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** On the same port and store as before, if it was started before. */
  async start(): Promise<void> {
    const config = join(this.#folder, 'nats.conf');
    const listen = `host: 127.0.0.1\nport: ${this.#port}\n`;
    writeFileSync(config, `${listen}jetstream { store_dir: "${join(this.#folder, 'store')}" }\n${this.#settings}\n`);
    const child = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Server is ready')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`nats-server has stopped:\n${said}`)));
    });
    this.#port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

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
export async function ownServer(settings?: string): Promise<TestServer> {
  const own = await TestServer.start(settings);
  onTestFinished(() => own[Symbol.asyncDispose]());
  return own;
}

/** A connection of the running test; with `elsewhere`, one that shares nothing in this process with the others. */
export async function connected(server: TestServer, options: ConnectOptions, elsewhere = false): Promise<Conn> {
  const url = elsewhere ? server.url.replace('127.0.0.1', 'localhost') : server.url;
  const conn = await connectNats(url, { logger: null, ...options });
  onTestFinished(() => conn.close());
  return conn;
}
