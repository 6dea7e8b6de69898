import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const howTo =
  'apt-get install -y nats-server, or see https://docs.nats.io/running-a-nats-service/introduction/installation';

/** The server that tests start: NATS_SERVER names another one than that in the path. */
const program = process.env.NATS_SERVER ?? 'nats-server';

/**
 * Why there is no NATS server to test with, which is also printed; undefined if there is one.
 *
 * @throws {Error} in continuous integration (`CI` is set), where there has to be one.
 */
export function natsLacking(): string | undefined {
  if (spawnSync(program, ['--version']).status === 0) return undefined;
  const why = `${program} is not installed: ${howTo}`;
  if (process.env.CI) throw new Error(why);
  return skipped(why);
}

/** As `natsLacking`, for tests with several servers that keep an event log together. Some versions cannot. */
export function natsClusterLacking(): string | undefined {
  const lacking = natsLacking();
  if (lacking !== undefined) return lacking;
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [version, minor, patch] = /2\.(\d+)\.(\d+)/.exec(stdout) ?? [];
  const isUnfit = minor === '11' || (minor === '10' && Number(patch) >= 14);
  return isUnfit ? skipped(`several nats-servers ${version} cannot keep an event log: set NATS_SERVER`) : undefined;
}

function skipped(why: string): string {
  console.warn(`SKIPPED: ${why}`);
  return why;
}

/** A NATS server with JetStream on a free port of 127.0.0.1, with its store in a temporary folder. */
export class NatsServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samovar-nats-'));
  readonly #settings: string;
  #process: ChildProcess | undefined;
  #port = -1;

  private constructor(settings: string) {
    this.#settings = settings;
  }

  /** `settings` are lines of the server's configuration beside those for its port and store. */
  static async start(settings = 'max_payload: 9MB'): Promise<NatsServer> {
    const server = new NatsServer(settings);
    await server.start();
    return server;
  }

  /** `nats://127.0.0.1:<port>`. */
  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** Starts it again after `stop`, on the same port and store. Resolves when it takes connections. */
  async start(): Promise<void> {
    const config = join(this.#folder, 'nats.conf');
    const listen = `host: 127.0.0.1\nport: ${this.#port}\n`;
    writeFileSync(config, `${listen}jetstream { store_dir: "${join(this.#folder, 'store')}" }\n${this.#settings}\n`);
    const child = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Server is ready')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${program} has stopped:\n${said}`)));
    });
    this.#port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
  }

  /** Resolves when it has exited. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Stops it and removes its store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Three NATS servers that keep what has three replicas together. They may take seconds to agree on a leader. */
export class NatsCluster implements AsyncDisposable {
  /** Named `server0` to `server2`. */
  readonly servers: readonly NatsServer[];

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  static async start(): Promise<NatsCluster> {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
    const settings = ports.map((port, i) => {
      const cluster = `cluster { name: tests, host: 127.0.0.1, port: ${port}, routes: [${routes}] }`;
      return `server_name: server${i}\nmax_payload: 9MB\n${cluster}`;
    });
    return new NatsCluster(await Promise.all(settings.map((lines) => NatsServer.start(lines))));
  }

  /** Names all three. */
  get url(): string {
    return `nats://${this.servers.map(({ url }) => url.slice('nats://'.length)).join(',')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
