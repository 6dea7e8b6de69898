import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsCluster, NatsServer } from '@samovar/edatest/nats';
import { settled } from './cluster.ts';
import { connected } from './load.ts';

/** A log to work on, and who serves it. */
export interface Log extends AsyncDisposable {
  readonly url: string;
  /** Servers that may be killed, under their names. */
  readonly servers: ReadonlyMap<string, NatsServer>;
  /** Resolves when the log will be there again after the loss and the new start of any one of the servers. */
  withstands(): Promise<void>;
}

/** How to make each kind of log; it is removed when it is disposed of. */
export const logs: ReadonlyMap<string, () => Promise<Log>> = new Map([
  ['sqlite', openSqlite],
  ['nats', openNats],
  ['nats-cluster', openCluster],
]);

/** The log at a URL; who serves it is left alone. */
export function given(url: string): Log {
  return { url, servers: new Map(), withstands: async () => {}, [Symbol.asyncDispose]: async () => {} };
}

export async function openSqlite(): Promise<Log> {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-crash-'));
  return {
    ...given(`sqlite:${join(folder, 'events.db')}`),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
}

export async function openNats(): Promise<Log> {
  const server = await NatsServer.start();
  return {
    ...given(server.url),
    servers: new Map([['server', server]]),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function openCluster(): Promise<Log> {
  const cluster = await NatsCluster.start();
  const { servers, url } = cluster;
  const conn = await connected(url, servers.length);
  await conn.close();
  return {
    url,
    servers: new Map(servers.map((server, i) => [`server${i}`, server])),
    withstands: () => settled(servers),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
