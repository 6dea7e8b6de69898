import { nuid } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import type { Conn, Event, EventId } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Child, collect, connected, pour, range, stored } from '../testing.ts';

let server: NatsServer;
let cluster: string;
let conn: Conn;

/** Milliseconds in which another process has taken over, and some for a busy machine. */
const patience = 20_000;
const keyed = { name: 'guest', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 1 } as const;

/** Code of a child that subscribes with a handler that says the stream and number of each event, and then does `body`. */
const subscribing = (options: object, body = '') => `
  const handle = async (_, event) => {
    say(event.stream + ' ' + event.data.json());
    ${body}
  };
  const sub = await conn.subscribe('cups.*', handle, ${JSON.stringify(options)});`;

const spilling = (stream: string) => `if (event.stream === '${stream}') throw new Error('spilt');`;

const newChild = (code: string) => new Child(server, cluster, code);

describe.skipIf(natsLacking() !== undefined)('a durable subscription on NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    cluster = nuid.next();
    conn = await connected(server, { cluster });
  });

  describe('of which the process that delivers is killed', killing);
  describe('of which the process that delivers is paused', pausing);
  describe('that has parked events', collecting);
});

function killing(): void {
  it('goes on in another one, and loses nothing', { timeout: 60_000 }, async () => {
    const options = { name: 'guests', durable: true, backfill: true };
    const seen: number[] = [];
    const publish = (round: number) =>
      Promise.all(range(1000, round * 1000).map((n) => conn.publish(ctx, `cups.${n % 7}`, pour(n))));
    for (const round of range(2)) {
      const child = newChild(subscribing(options));
      const published = publish(round);
      await child.says(300);
      await child.kill();
      await published;
      seen.push(...child.said.map((line) => Number(line.split(' ')[1])));
    }
    const note = (_: unknown, { data }: Event) => void seen.push(data.json<number>());
    const subscription = await conn.subscribe('cups.*', note, options);
    await publish(2);
    await vi.waitUntil(() => subscription.status().state === 'running', { timeout: patience });
    await subscription.caughtUp(ctx);
    expect([...new Set(seen)].toSorted((a, b) => a - b)).toEqual(range(3000));
    // Each kill repeats what was not stored yet, at most.
    expect(seen.length).toBeLessThanOrEqual(3000 + 2 * 1000);
  });

  it('has parked what was parked, and carries out what was requested', { timeout: 60_000 }, async () => {
    const child = newChild(subscribing(keyed, spilling('cups.hot')));
    const hot = range(200).map((n) => conn.publish(ctx, 'cups.hot', pour(n)));
    await Promise.all([...hot, ...range(200).map((n) => conn.publish(ctx, 'cups.cold', pour(n)))]);
    const parked = conn.parked('guest');
    const waiting = async () => (await collect(parked.list(ctx))).map(({ waiting }) => waiting.length);
    await vi.waitFor(async () => expect(await waiting()).toEqual([199]), { timeout: patience });
    child.signal('SIGSTOP');
    await parked.replay(ctx, 'all');
    await child.kill();
    const seen: string[] = [];
    const note = (_: unknown, { stream, data }: Event) => void seen.push(`${stream} ${data.json<number>()}`);
    const subscription = await conn.subscribe('cups.*', note, keyed);
    await vi.waitUntil(() => subscription.status().state === 'running', { timeout: patience });
    await subscription.caughtUp(ctx);
    expect(seen.filter((line) => line.startsWith('cups.hot'))).toEqual(range(200).map((n) => `cups.hot ${n}`));
    expect(subscription.status()).toMatchObject({ parked: 0, lag: 0 });
    expect(await parked.count(ctx)).toBe(0);
  });
}

function pausing(): void {
  it('is changed no more by that one when it goes on', { timeout: 60_000 }, async () => {
    const late = `await new Promise((resolve) => setTimeout(resolve, 1000)); throw new Error('late');`;
    const child = newChild(`${subscribing(keyed, late)} setInterval(() => say(sub.status().state), 100);`);
    const ids: EventId[] = [await conn.publish(ctx, 'cups.1', pour(1))];
    await vi.waitUntil(() => child.said.includes('cups.1 1'), { timeout: patience });
    child.signal('SIGSTOP');
    const seen: EventId[] = [];
    const note = (_: unknown, { id, data }: Event) => {
      seen.push(id);
      if (data.json<number>() === 3) throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.*', note, keyed);
    expect(subscription.status().state).toBe('standby');
    await vi.waitUntil(() => subscription.status().state === 'running', { timeout: patience });
    ids.push(...(await conn.publishAll(ctx, 'cups.1', [pour(2), pour(3)])));
    await vi.waitUntil(() => subscription.status().parked === 1);
    const parkedErrors = async () => (await collect(conn.parked('guest').list(ctx))).map(({ error }) => error);
    await vi.waitFor(async () => expect(await parkedErrors()).toEqual(['spilt']));
    child.said.length = 0;
    child.signal('SIGCONT');
    await vi.waitUntil(() => child.said.includes('standby'), { timeout: patience });
    expect(seen).toEqual(ids);
    expect([subscription.status().state, await parkedErrors()]).toEqual(['running', ['spilt']]);
    await conn.parked('guest').skip(ctx, ids[2] as EventId);
    await subscription.caughtUp(ctx);
    await subscription.close();
    const [info] = await collect(conn.subscriptions(ctx));
    expect(info).toMatchObject({ name: 'guest', lastAcked: ids[2] });
  });
}

function collecting(): void {
  it('keeps few segments, and removes what no record lists', { timeout: 60_000 }, async () => {
    const spill = () => {
      throw new Error('spilt');
    };
    const options = { name: 'guest', durable: true, backfill: true, maxDeliver: 1, serial: false };
    const first = await conn.subscribe('cups.*', spill, options);
    for (const n of range(40)) {
      await conn.publish(ctx, 'cups.1', pour(n));
      await vi.waitUntil(() => first.status().parked === n + 1, { interval: 1 });
    }
    await first.close();
    const { bucket, keysOf } = await stored(server, cluster);
    const [record] = (await keysOf('subscriptions.*.record')) as [string];
    const segmentKeys = `${record.replace(/record$/, 'parked')}.`;
    const listed = async () => (await bucket.get(record))?.json<{ segments: [string, number][] }>().segments ?? [];
    await vi.waitFor(
      async () => {
        const segments = await listed();
        expect(segments.length).toBeLessThanOrEqual(7);
        expect(await keysOf(`${segmentKeys}*`)).toEqual(segments.map(([id]) => segmentKeys + id).toSorted());
      },
      { timeout: patience },
    );
    await bucket.put(`${segmentKeys}garbage`, '[]');
    const second = await conn.subscribe('cups.*', () => {}, options);
    await vi.waitFor(async () => expect(await keysOf(`${segmentKeys}*`)).not.toContain(`${segmentKeys}garbage`), {
      timeout: patience,
    });
    expect(await conn.parked('guest').count(ctx)).toBe(40);
    await second.unsubscribe();
    await vi.waitFor(async () => expect(await keysOf(`${segmentKeys}*`)).toEqual([]), { timeout: patience });
    expect(await conn.parked('guest').count(ctx)).toBe(0);
    expect(await collect(conn.subscriptions(ctx))).toEqual([]);
  });

  it('says what is lost when an operator has deleted of it, and goes on', async () => {
    const said: string[] = [];
    const error = (message: string) => void said.push(message);
    const silent = () => {};
    const logger = { debug: silent, info: silent, warn: silent, error };
    const spill = () => {
      throw new Error('spilt');
    };
    const first = await conn.subscribe('cups.*', spill, keyed);
    await conn.publish(ctx, 'cups.1', pour(1));
    await vi.waitUntil(() => first.status().parked === 1);
    await first.close();
    const { bucket, keysOf } = await stored(server, cluster);
    for (const key of await keysOf('subscriptions.*.parked.*')) await bucket.purge(key);
    const other = await connected(server, { cluster, logger }, true);
    const seen: number[] = [];
    const note = (_: unknown, { data }: Event) => void seen.push(data.json<number>());
    const second = await other.subscribe('cups.*', note, keyed);
    await other.publish(ctx, 'cups.1', pour(2));
    await second.caughtUp(ctx);
    expect([seen, said]).toEqual([[2], [expect.stringContaining('was deleted')]]);
  });
}
