import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial, nuid } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import { Data, type Event, type Logger } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { collect, connected, numbersOf, ownServer, pour, range, read } from '../testing.ts';

let server: NatsServer;
let cluster: string;

/** The server as an operator sees it. */
async function operator() {
  const nc = await dial({ servers: server.url.slice('nats://'.length) });
  onTestFinished(() => nc.close());
  return { nc, jsm: await jetstreamManager(nc) };
}

function recorder() {
  const said: [level: string, message: string, fields: unknown][] = [];
  const note = (level: string) => (message: string, fields: unknown) => void said.push([level, message, fields]);
  const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  return { said, logger };
}

/** The names of what the server keeps for this test's log. */
async function kept(): Promise<string[]> {
  const { jsm } = await operator();
  return (await collect(jsm.streams.list())).map(({ config }) => config.name).filter((name) => name.includes(cluster));
}

describe.skipIf(natsLacking() !== undefined)('an event log on NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    cluster = nuid.next();
  });

  describe('with which an operator has had to do', operating);
  describe('on a server that is not as wished', connecting);
});

function operating(): void {
  it('passes over a message that is no commit, in reads and subscriptions, and goes on behind it', async () => {
    const { said, logger } = recorder();
    const conn = await connected(server, { cluster, logger });
    const { nc } = await operator();
    const first = await conn.publish(ctx, 'cups.1', pour(1));
    await nc.request(`${cluster}.events.cups.1`, 'not a commit');
    const head = await conn.head(ctx, 'cups.1');
    expect(head).not.toBe(first);
    const second = await conn.publish(ctx, 'cups.1', pour(2), { expectedHead: head });
    await nc.request(`${cluster}.events.cups.2`, 'nor is this');
    expect(numbersOf(await read(conn, '>'))).toEqual([1, 2]);
    expect(numbersOf(await collect(conn.read(ctx, '>', { backwards: true })))).toEqual([2, 1]);
    const seen: Event[] = [];
    const options = { backfill: true, durable: true, serial: true };
    const subscription = await conn.subscribe('cups.*', (_, event) => void seen.push(event), options);
    await subscription.caughtUp(ctx);
    expect(seen.map(({ id }) => id)).toEqual([first, second]);
    expect(said.filter(([level]) => level === 'error').length).toBeGreaterThan(0);
    const streams = await collect(conn.streams(ctx));
    expect(streams.map(({ stream, events }) => [stream, events])).toEqual([
      ['cups.1', 2],
      ['cups.2', 0],
    ]);
  });

  it.each([true, false])('goes on when its consumers are deleted; durable: %s', async (durable) => {
    const conn = await connected(server, { cluster });
    const { jsm } = await operator();
    const seen: number[] = [];
    const options = { backfill: true, durable, serial: true };
    const handle = async (_: unknown, { data }: Event) => {
      seen.push(data.json<number>());
      await new Promise(setImmediate);
    };
    const subscription = await conn.subscribe('cups.1', handle, options);
    for (const round of range(3)) {
      const publications = range(1000, round * 1000).map((n) => conn.publish(ctx, 'cups.1', pour(n)));
      await vi.waitUntil(() => seen.length > round * 1000 + 300, { interval: 1 });
      for (const stream of [cluster, ...(durable ? [`KV_${cluster}-subscriptions`] : [])]) {
        const consumers = await collect(jsm.consumers.list(stream));
        expect(consumers.length).toBeGreaterThan(0);
        for (const { name } of consumers) await jsm.consumers.delete(stream, name).catch(() => {});
      }
      await Promise.all(publications);
      await subscription.caughtUp(ctx);
    }
    expect(seen).toEqual(range(3000));
  });

  it('has caught up when what it waits for is erased before it came', async () => {
    const conn = await connected(server, { cluster });
    const waits = Promise.withResolvers<void>();
    let handled = 0;
    const handle = async () => {
      await waits.promise;
      handled++;
    };
    const subscription = await conn.subscribe('cups.*', handle, { backfill: true, serial: true });
    await Promise.all(range(2000).map((n) => conn.publish(ctx, 'cups.1', pour(n))));
    const last = await conn.publish(ctx, 'cups.2', pour(0));
    const caughtUp = Promise.all([subscription.caughtUp(ctx, last), subscription.caughtUp(ctx)]);
    await conn.erase(ctx, 'cups.2');
    waits.resolve();
    await caughtUp;
    expect(handled).toBe(2000);
  });

  it('refuses a JetStream stream that is something else, and leaves it as it is', async () => {
    const { jsm } = await operator();
    await jsm.streams.add({ name: cluster, subjects: [`${cluster}.>`] });
    await expect(connected(server, { cluster })).rejects.toMatchObject({ id: 'eda.notALog' });
    expect((await jsm.streams.info(cluster)).config.subjects).toEqual([`${cluster}.>`]);
  });

  it('says what the settings of its JetStream stream may cost, and changes none', async () => {
    await (await connected(server, { cluster })).close();
    const { jsm } = await operator();
    await jsm.streams.update(cluster, { max_age: 3600e9 });
    const { said, logger } = recorder();
    await connected(server, { cluster, logger, replicas: 3, maxLogBytes: 1e6 });
    for (const cost of ['forget events', 'has 1 replicas, not 3', 'not 1000000']) {
      expect(said).toContainEqual(['warn', expect.stringContaining(cost), expect.anything()]);
    }
    expect((await jsm.streams.info(cluster)).config).toMatchObject({ max_age: 3600e9, num_replicas: 1, max_bytes: -1 });
  });
}

function connecting(): void {
  it('makes nothing when it is not to, also while somebody else makes a log, and opens one that is there', async () => {
    const { said, logger } = recorder();
    const opened = () => connected(server, { cluster, create: false, logger });
    await expect(opened()).rejects.toMatchObject({ id: 'eda.logNotFound', status: 'not_found' });
    expect(await kept()).toEqual([]);
    const [refused, made] = await Promise.allSettled([opened(), connected(server, { cluster })]);
    expect([refused.status, made.status]).toEqual(['rejected', 'fulfilled']);
    await opened();
    expect(said).toEqual([]);
  });

  it('bounds commits by what the server takes, and says so with both numbers', async () => {
    const own = await ownServer('max_payload: 100KB');
    const { said, logger } = recorder();
    const conn = await connected(own, { cluster, logger });
    const numbers = { maxCommitBytes: 8 * 1024 * 1024, serverTakes: 84 * 1024 };
    expect(said).toContainEqual(['warn', expect.stringContaining('max_payload'), numbers]);
    const large = { type: 'tea.Poured', data: Data.bytes(new Uint8Array(90_000)) };
    await expect(conn.publish(ctx, 'cups.1', large)).rejects.toMatchObject({ details: { field: 'data' } });
    await conn.publish(ctx, 'cups.1', { type: 'tea.Poured', data: Data.bytes(new Uint8Array(80_000)) });
  });

  it('takes a commit as large as the bound allows', async () => {
    const conn = await connected(server, { cluster });
    const data = Data.bytes(new Uint8Array(8 * 1024 * 1024 - 17 * 1024));
    await conn.publish(ctx, 'cups.1', { type: 'tea.Poured', data });
    expect((await read(conn, 'cups.1'))[0]?.data.bytes()).toHaveLength(data.bytes().length);
    const sizes: number[] = [];
    const note = (_: unknown, event: Event) => void sizes.push(event.data.bytes().length);
    await (await conn.subscribe('cups.1', note, { backfill: true })).caughtUp(ctx);
    expect(sizes).toEqual([data.bytes().length]);
  });

  it.each([
    { cluster: 'a.b' },
    { cluster: '' },
    { replicas: 0 },
    { maxLogBytes: 1023 },
    { client: 'x'.repeat(256) },
    { maxCommitBytes: 1 },
  ])('refuses %j', async (options) => {
    const [field] = Object.keys(options);
    await expect(connected(server, { cluster, ...options })).rejects.toMatchObject({
      id: 'eda.invalidArgument',
      details: { field },
    });
  });
}
