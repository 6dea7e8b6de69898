import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadgeAwarded } from '@samovar/badges';
import { connect } from '@samovar/dbimpl';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventsOf } from './events.ts';
import { describeOnLogs, type TestLog } from './logs.ts';
import { startServer, type TestServer } from './servertest.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const open = (url: string) => connect(url, () => {});

/** What a client does: it knows an address, and JSON. */
function client({ url }: TestServer) {
  const get = async (path: string) => (await fetch(`${url}/v1/${path}`)).json();
  return {
    async send(userId: string, count: number): Promise<number> {
      const { status } = await fetch(`${url}/v1/stickers/SendStickersCommand`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ userId, count }),
      });
      return status;
    },
    count: (userId: string) => get(`stickers/GetStickerCountQuery?userId=${encodeURIComponent(userId)}&fresh=true`),
    badges: (userId: string) => get(`badges/ListBadgesQuery?userId=${encodeURIComponent(userId)}`),
    outbox: () => get('outbox/GetStatusQuery'),
    async events(stream: string) {
      const events = [];
      for await (const event of eventsOf(url, `${stream}/events`)) events.push(event);
      return events;
    },
  };
}

let log: TestLog;

describeOnLogs((_name, freshLog) => {
  beforeEach(() => {
    log = freshLog();
  });

  describe.each([
    ['SQLite', () => freshSqlite(open)],
    ['PostgreSQL', () => postgres.freshDb(open)],
  ])('stickers of a server with its services on %s', (_, fresh) => stickers(fresh));
});

function stickers(fresh: () => Promise<FreshDb>): void {
  it('are counted at once for who asks, earn badges, and are events on streams', async () => {
    await using place = await fresh();
    await using server = await startServer({ database: place.url, ...log.settings });
    const { send, count, badges, events } = client(server);
    expect(await count('ann')).toBe(0);
    expect(await send('ann', 9)).toBe(204);
    expect(await count('ann')).toBe(9);
    expect(await badges('ann')).toEqual(['bronze']);
    expect(await send('ann', 1)).toBe(204);
    expect(await count('ann')).toBe(10);
    expect(await badges('ann')).toEqual(['bronze', 'silver']);
    expect(await send('ü/*', 2)).toBe(204);
    expect(await count('ü/*')).toBe(2);
    const sent = (count: number) => ({
      stream: 'stickers.ann',
      type: 'stickers.StickersSent',
      data: { userId: 'ann', count },
      meta: { outbox: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect(await events('stickers.ann')).toMatchObject([sent(9), sent(1)]);
    expect(await events('stickers.*')).toHaveLength(3);
  });

  it('are not sent at all where a listener fails', async () => {
    await using place = await fresh();
    await using server = await startServer({ database: place.url, logLevel: 'silent', ...log.settings });
    const { send, count, badges, outbox, events } = client(server);
    server.bus.addEventListener(BadgeAwarded, (_ctx, { badge }) => {
      if (badge === 'silver') throw new Error('no silver is left');
    });
    expect(await send('ann', 9)).toBe(204);
    expect(await send('ann', 1)).toBe(500);
    expect(await count('ann')).toBe(9);
    expect(await badges('ann')).toEqual(['bronze']);
    expect(await outbox()).toMatchObject({ waiting: 0, stuck: 0, oldest: null });
    expect(await events('stickers.*')).toMatchObject([{ data: { userId: 'ann', count: 9 } }]);
  });

  it('count once when the server was stopped and started', async () => {
    await using place = await fresh();
    const data = mkdtempSync(join(tmpdir(), 'samovar-stickers-'));
    try {
      for (const total of [3, 6, 9]) {
        await using server = await startServer({ data, database: place.url, ...log.settings });
        const { send, count } = client(server);
        expect(await send('ann', 3)).toBe(204);
        expect(await count('ann')).toBe(total);
      }
    } finally {
      rmSync(data, { recursive: true });
    }
  });
}
