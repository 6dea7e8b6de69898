import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { lacking, numbersOf, ownServer, pour, range, read, type TestServer } from '../testing.ts';
import { connectNats } from './edanats.ts';

/** Milliseconds that three servers may take to agree on a leader, on a busy machine. */
const patience = 60_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function threeServers(): Promise<TestServer[]> {
  const ports = await Promise.all(range(3).map(freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  return Promise.all(
    ports.map((port, i) => {
      const cluster = `cluster { name: tea, host: 127.0.0.1, port: ${port}, routes: [${routes}] }`;
      return ownServer(`server_name: pot${i}\nmax_payload: 8MB\n${cluster}`);
    }),
  );
}

async function leaderOf(servers: readonly TestServer[]): Promise<TestServer> {
  const nc = await dial({ servers: (servers[0] as TestServer).url.slice('nats://'.length) });
  const { cluster } = await (await jetstreamManager(nc)).streams.info('samovar');
  await nc.close();
  return servers[Number(cluster?.leader?.slice('pot'.length))] as TestServer;
}

describe.skipIf(lacking() !== undefined)('an event log that three servers keep', () => {
  it('stores every publication once, and delivers it, when the server that leads is killed', {
    timeout: 120_000,
  }, async () => {
    const servers = await threeServers();
    const url = `nats://${servers.map((server) => server.url.slice('nats://'.length)).join(',')}`;
    const conn: Conn = await vi.waitFor(() => connectNats(url, { replicas: 3, logger: null }), { timeout: patience });
    onTestFinished(() => conn.close());
    const seen = new Set<number>();
    const note = (_: unknown, { data }: { data: { json<T>(): T } }) => void seen.add(data.json<number>());
    const subscription = await conn.subscribe('cups.*', note, { durable: true, backfill: true });
    const leader = await leaderOf(servers);
    let acked = 0;
    let killed: Promise<void> | undefined;
    const writers = range(20).map(async (w) => {
      let expectedHead: EventId | null = null;
      for (const n of range(50, w * 50)) {
        expectedHead = await conn.publish(ctx, `cups.${w}`, pour(n), { key: `${n}`, expectedHead });
        if (++acked === 300) killed = leader.stop('SIGKILL');
      }
    });
    await Promise.all(writers);
    await killed;
    expect(numbersOf(await read(conn, '>')).toSorted((a, b) => a - b)).toEqual(range(1000));
    await subscription.caughtUp(ctx);
    expect(seen.size).toBe(1000);
  });
});
