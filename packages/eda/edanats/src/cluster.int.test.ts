import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { NatsCluster, type NatsServer, natsClusterLacking } from '@samovar/edatest/nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collect, numbersOf, pour, range, read } from '../testing.ts';
import { connectNats } from './edanats.ts';

/** Milliseconds that three servers may take to agree on a leader, on a busy machine. */
const patience = 60_000;
const headConflict = { id: 'eda.headConflict', status: 'aborted' };

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

/** To one log, each through another server, so that they share nothing in this process. */
async function ownConns(): Promise<Conn[]> {
  const { servers } = await ownCluster();
  const conns: Conn[] = [];
  for (const { url } of servers) {
    const options = { timeout: patience, interval: 100 };
    conns.push(await vi.waitFor(() => connectNats(url, { replicas: 3, logger: null }), options));
  }
  onTestFinished(async () => {
    await Promise.all(conns.map((conn) => conn.close()));
  });
  return conns;
}

describe.skipIf(natsClusterLacking() !== undefined)('an event log that three servers keep', () => {
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

  it('lets exactly one of many who expect one head win it, on whichever server, beside others who expect none', {
    timeout: 120_000,
  }, async () => {
    const conns = await ownConns();
    for (const round of range(20)) {
      const stream = `cups.${round % 3}`;
      const expectedHead = await (conns[0] as Conn).head(ctx, stream);
      const racing = range(60).map((n) => (conns[n % 3] as Conn).publish(ctx, stream, pour(n), { expectedHead }));
      const others = range(6).map((n) => (conns[n % 3] as Conn).publish(ctx, `pots.${n}`, pour(n)));
      const plain = round % 4 === 3 ? [(conns[1] as Conn).publish(ctx, stream, pour(60))] : [];
      const results = await Promise.allSettled(racing);
      await Promise.all([...others, ...plain]);
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const lost = results.filter(({ status }) => status === 'rejected');
      expect(lost).toEqual(lost.map(() => ({ status: 'rejected', reason: expect.objectContaining(headConflict) })));
      const options = expectedHead === null ? {} : { after: expectedHead };
      const stored = (await collect((conns[2] as Conn).read(ctx, stream, options))).map(({ id }) => id);
      expect(stored).toHaveLength(won.length + plain.length);
      // Somebody who expects none may have been faster than all.
      if (plain.length === 0) expect(won).toHaveLength(1);
      else if (won.length > 0) expect(won).toEqual([stored[0]]);
    }
  });

  it('stores what one connection publishes to a stream in order, expecting heads or not, while others write', {
    timeout: 120_000,
  }, async () => {
    const [conn, ...others] = (await ownConns()) as [Conn, Conn, Conn];
    let over = false;
    const writing = others.map(async (other, i) => {
      for (let n = 0; !over; n++) await other.publish(ctx, `pots.${i}`, pour(n));
    });
    for (const round of range(20)) {
      const stream = `cups.${round}`;
      const first = conn.publish(ctx, stream, pour(0), { expectedHead: null });
      await Promise.all([first, ...range(9, 1).map((n) => conn.publish(ctx, stream, pour(n)))]);
      expect(numbersOf(await read(conn, stream))).toEqual(range(10));
    }
    over = true;
    await Promise.all(writing);
  });
});
