import { nuid } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import type { Conn, Event, EventId } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { collect, connected, numbersOf, ownServer, pour, range, read, stored } from '../testing.ts';

let server: NatsServer;
let cluster: string;

/** For what takes as long as a lease does, on a busy machine. */
const waiting = { timeout: 20_000, interval: 20 };

/** Two connections as two processes have them. */
async function processes(): Promise<[Conn, Conn]> {
  return [await connected(server, { cluster }), await connected(server, { cluster }, true)];
}

describe.skipIf(natsLacking() !== undefined)('an event log on NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    cluster = nuid.next();
  });

  describe('of which the server crashes', crashing);
  describe('used by several processes', sharing);
});

function crashing(): void {
  it('loses nothing that was acknowledged when the server is killed, and stores the rest once', async () => {
    const own = await ownServer();
    const conn = await connected(own, { cluster });
    const acked: EventId[] = [];
    let killed: Promise<void> | undefined;
    const publications = range(10_000).map(async (n) => {
      if (acked.push(await conn.publish(ctx, `cups.${n % 7}`, pour(n))) === 1000) killed = own.stop('SIGKILL');
    });
    await vi.waitUntil(() => killed !== undefined, { interval: 1 });
    await killed;
    expect(acked.length).toBeLessThan(10_000);
    await own.start();
    await Promise.all(publications);
    const events = await read(conn, '>');
    expect(events.map(({ id }) => id)).toEqual(acked.toSorted());
    expect(numbersOf(events).toSorted((a, b) => a - b)).toEqual(range(10_000));
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('goes on with subscriptions and readers after a %s', async (signal) => {
    const own = await ownServer();
    const conn = await connected(own, { cluster });
    const seen = { durable: [] as number[], passing: [] as number[] };
    const note =
      (numbers: number[]) =>
      (_: unknown, { data }: Event) =>
        void numbers.push(data.json<number>());
    const subscription = await conn.subscribe('cups.1', note(seen.durable), { durable: true, backfill: true });
    await conn.subscribe('cups.*', note(seen.passing));
    const watched = collect(conn.read(ctx, 'cups.1', { watch: true, limit: 20 }));
    await conn.publishAll(ctx, 'cups.1', range(10).map(pour));
    await subscription.caughtUp(ctx);
    await own.stop(signal);
    await own.start();
    for (const n of range(10, 10)) await conn.publish(ctx, 'cups.1', pour(n));
    await subscription.caughtUp(ctx);
    await vi.waitFor(() => expect(seen.passing).toHaveLength(20), waiting);
    expect(seen).toEqual({ durable: range(20), passing: range(20) });
    expect(numbersOf(await watched)).toEqual(range(20));
  });

  it('has parked what was parked, and closes soon although the server is gone', async () => {
    const own = await ownServer();
    const conn = await connected(own, { cluster });
    const options = { name: 'guest', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 1 } as const;
    const spill = () => {
      throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.*', spill, options);
    await conn.publishAll(ctx, 'cups.1', range(3).map(pour));
    await vi.waitFor(() => expect(subscription.status()).toMatchObject({ parked: 1, lag: 3 }));
    await own.stop('SIGKILL');
    await own.start();
    await conn.publishAll(ctx, 'cups.2', range(3).map(pour));
    await vi.waitFor(() => expect(subscription.status()).toMatchObject({ parked: 2, lag: 6 }), waiting);
    await vi.waitFor(async () => {
      const parked = await collect(conn.parked('guest').list(ctx));
      expect(parked.map(({ key, waiting }) => [key, waiting.length])).toEqual([
        ['cups.1', 2],
        ['cups.2', 2],
      ]);
    });
    await own.stop('SIGKILL');
    const began = performance.now();
    await conn.close();
    expect(performance.now() - began).toBeLessThan(8_000);
  });
}

function sharing(): void {
  it('gives each event of a durable name to one of two processes, also when the one that delivers leaves', async () => {
    const conns = await processes();
    const seen: number[] = [];
    const handle = async (_: unknown, { data }: Event) => {
      seen.push(data.json<number>());
      await new Promise(setImmediate);
    };
    const options = { name: 'guests', durable: true, backfill: true };
    const subscriptions = await Promise.all(conns.map((conn) => conn.subscribe('cups.*', handle, options)));
    await Promise.all(range(3000).map((n) => conns[0].publish(ctx, `cups.${n % 3}`, pour(n))));
    await vi.waitUntil(() => seen.length > 1000, { interval: 1 });
    const running = subscriptions.findIndex((subscription) => subscription.status().state === 'running');
    await subscriptions[running]?.close();
    await subscriptions[1 - running]?.caughtUp(ctx);
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(3000));
  });

  it('keeps the order of a serial name over two processes, one handler at a time', async () => {
    const conns = await processes();
    const seen: number[] = [];
    let [running, peak] = [0, 0];
    const handle = async (_: unknown, { data }: Event) => {
      peak = Math.max(peak, ++running);
      seen.push(data.json<number>());
      await new Promise(setImmediate);
      running--;
    };
    const options = { name: 'guest', durable: true, serial: true, backfill: true };
    const [first] = await Promise.all(conns.map((conn) => conn.subscribe('cups.1', handle, options)));
    for (const n of range(100)) await conns[0].publishAll(ctx, 'cups.1', [pour(2 * n), pour(2 * n + 1)]);
    await first?.caughtUp(ctx);
    expect([seen, peak]).toEqual([range(200), 1]);
  });

  it('leaves to one process what another gives back of a commit, with what that has counted', async () => {
    const conns = await processes();
    const options = { name: 'guest', durable: true, backfill: true };
    await conns[0].publishAll(ctx, 'cups.1', range(10).map(pour));
    const done: number[] = [];
    const first = await conns[0].subscribe(
      'cups.1',
      (_, { data }) => {
        if (data.json<number>() % 2 === 1) throw new Error('spilt');
        done.push(data.json<number>());
      },
      options,
    );
    await vi.waitFor(() => expect(first.status()).toMatchObject({ lag: 5, redelivered: 5 }));
    const taken: [number, number][] = [];
    const second = await conns[1].subscribe(
      'cups.1',
      (_, { data, deliveries }) => void taken.push([data.json<number>(), deliveries]),
      options,
    );
    await first.close();
    await second.caughtUp(ctx);
    expect(done).toEqual([0, 2, 4, 6, 8]);
    expect(taken.map(([n]) => n)).toEqual([1, 3, 5, 7, 9]);
    expect(taken.every(([, deliveries]) => deliveries >= 3)).toBe(true);
  });

  it('begins again in all processes when one resets, and knows what another has erased', async () => {
    const conns = await processes();
    const options = { name: 'guest', durable: true, backfill: true };
    const seen: number[] = [];
    const handle = (_: unknown, { data }: Event) => void seen.push(data.json<number>());
    await conns[0].publishAll(ctx, 'cups.1', range(3).map(pour));
    const first = await conns[0].subscribe('cups.1', handle, options);
    await first.caughtUp(ctx);
    const second = await conns[1].subscribe('cups.1', handle, { ...options, reset: true });
    await second.caughtUp(ctx);
    expect(seen).toEqual([0, 1, 2, 0, 1, 2]);
    await second.close();
    await conns[0].publish(ctx, 'cups.1', pour(3));
    await vi.waitFor(() => expect(seen.at(-1)).toBe(3), waiting);
    await conns[1].erase(ctx, 'cups.1');
    expect([await read(conns[0], '>'), await conns[0].head(ctx, 'cups.1')]).toEqual([[], null]);
  });

  it('does not give to another process what a handler takes long for', async () => {
    const conns = await processes();
    const ended = Promise.withResolvers<void>();
    let runs = 0;
    const handle = () => {
      runs++;
      return ended.promise;
    };
    const options = { name: 'guest', durable: true, backfill: true, serial: true };
    await conns[0].publish(ctx, 'cups.1', pour(1));
    const [first] = await Promise.all(conns.map((conn) => conn.subscribe('cups.1', handle, options)));
    await vi.waitFor(() => expect(runs).toBe(1), waiting);
    const { bucket, keysOf } = await stored(server, cluster);
    const [record] = (await keysOf('subscriptions.*.record')) as [string];
    const leaseEnd = async () => (await bucket.get(record))?.json<{ expires: number }>().expires ?? 0;
    const taken = await leaseEnd();
    // It is renewed meanwhile.
    await vi.waitFor(async () => {
      expect(Math.min(Date.now(), await leaseEnd())).toBeGreaterThan(taken);
    }, waiting);
    ended.resolve();
    await first?.caughtUp(ctx);
    expect(runs).toBe(1);
  });
}
