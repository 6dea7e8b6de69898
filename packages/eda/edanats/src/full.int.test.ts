import { background as ctx } from '@samovar/context';
import { Data, type Event, type EventId } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, numbersOf, range, read } from '../testing.ts';

const maxLogBytes = 256 * 1024;
const logFull = { id: 'eda.logFull', status: 'resource_exhausted' };
const large = (n: number) => ({ type: 'tea.Poured', data: Data.json(n), meta: { text: 'x'.repeat(10_000) } });

describe.skipIf(natsLacking() !== undefined)('an event log that may take no more bytes', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('refuses publications, and goes on reading and delivering, until there is room again', async () => {
    const conn = await connected(server, { maxLogBytes });
    const seen: number[] = [];
    const note = (_: unknown, { data }: Event) => void seen.push(data.json<number>());
    const options = { name: 'guests', durable: true, backfill: true, serial: true };
    const ids: EventId[] = [];
    let refused: unknown;
    while (refused === undefined && ids.length < 100) {
      const publishing = conn.publish(ctx, `cups.${ids.length % 2}`, large(ids.length));
      await publishing.then(
        (id) => void ids.push(id),
        (error: unknown) => {
          refused = error;
        },
      );
    }
    expect(refused).toMatchObject(logFull);
    expect(ids.length).toBeGreaterThan(10);
    for (const how of [{ expectedHead: ids.at(-2) as EventId }, { key: 'k' }]) {
      await expect(conn.publish(ctx, `cups.${ids.length % 2}`, large(0), how)).rejects.toMatchObject(logFull);
    }

    expect(numbersOf(await read(conn, '>'))).toEqual(range(ids.length));
    const subscription = await conn.subscribe('cups.*', note, options);
    await subscription.caughtUp(ctx);
    await subscription.close();
    await using again = await conn.subscribe('cups.*', note, options);
    await again.caughtUp(ctx);
    expect(seen).toEqual(range(ids.length));
    expect(again.status()).toMatchObject({ lag: 0, lastAcked: ids.at(-1) });

    await conn.erase(ctx, 'cups.0');
    await conn.publish(ctx, 'cups.0', large(100), { expectedHead: null, key: 'k' });
    await again.caughtUp(ctx);
    expect(seen.at(-1)).toBe(100);
  });
});
