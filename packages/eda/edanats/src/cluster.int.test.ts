import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { NatsCluster, type NatsServer, natsLacking } from '@samovar/edatest/nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { numbersOf, pour, range, read } from '../testing.ts';
import { connectNats } from './edanats.ts';

/** Milliseconds that three servers may take to agree on a leader, on a busy machine. */
const patience = 60_000;

async function ownCluster(): Promise<NatsCluster> {
  const cluster = await NatsCluster.start();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

async function leaderOf(servers: readonly NatsServer[]): Promise<NatsServer> {
  const nc = await dial({ servers: (servers[0] as NatsServer).url.slice('nats://'.length) });
  const { cluster } = await (await jetstreamManager(nc)).streams.info('samovar');
  await nc.close();
  return servers[Number(cluster?.leader?.slice('server'.length))] as NatsServer;
}

describe.skipIf(natsLacking() !== undefined)('an event log that three servers keep', () => {
  it('stores every publication once, and delivers it, when the server that leads is killed', {
    timeout: 120_000,
  }, async () => {
    const { servers, url } = await ownCluster();
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
