import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx, withTimeout } from '@samovar/context';
import { type Conn, Data, type Event, type EventId } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Child } from '../testing.ts';
import { connectSqlite } from './edasqlite.ts';

let folder: string;
let path: string;
let conn: Conn;
let children: Child[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  path = join(folder, 'events.db');
  children = [];
});
afterEach(async () => {
  await conn?.close();
  for (const child of children) await child.kill();
  rmSync(folder, { recursive: true });
});

function newChild(code: string): Child {
  const child = new Child(path, code);
  children.push(child);
  return child;
}

async function readAll(selector: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of conn.read(ctx, selector)) events.push(event);
  return events;
}

const numberOf = ({ data }: Event) => data.json<number>();
const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const publish = (numbers: readonly number[]) =>
  Promise.all(numbers.map((n) => conn.publish(ctx, 's', { type: 't', data: Data.json(n) })));

describe('kill -9', () => {
  it('of publishers loses nothing acknowledged, tears no commit, and has no id given twice', async () => {
    const acknowledged = new Map<EventId, string>();
    const delivered: string[] = [];
    for (const round of range(4)) {
      const child = newChild(`
        let n = 0;
        const one = async (w) => {
          for (;;) {
            const text = '${round}.' + n++;
            const events = [0, 1, 2].map((i) => ({ type: 't', data: Data.string(text + '.' + i) }));
            const ids = w % 2 === 0 ? [await conn.publish(ctx, 's.' + (w % 5), events[0])] : await conn.publishAll(ctx, 's.' + (w % 5), events);
            ids.forEach((id, i) => say(id + ' ' + text + '.' + i));
          }
        };
        for (let w = 0; w < 50; w++) one(w);`);
      await child.says(300 + round * 400);
      await child.kill();
      conn = connectSqlite(path, { logger: null });
      for (const line of child.said) {
        const [id, text] = line.split(' ') as [EventId, string];
        expect(acknowledged.has(id)).toBe(false);
        acknowledged.set(id, text);
      }
      const found = new Map((await readAll('s.*')).map(({ id, data }) => [id, data.string()]));
      for (const [id, text] of acknowledged) expect(found.get(id)).toBe(text);
      expect([...found.keys()]).toEqual([...found.keys()].sort());
      const commits = Map.groupBy(found.values(), (text) => text.slice(0, text.lastIndexOf('.')));
      for (const texts of commits.values()) expect([1, 3]).toContain(texts.length);
      const handle = (_: unknown, event: Event) => void delivered.push(event.data.string());
      const sub = await conn.subscribe('s.*', handle, { name: 'n', durable: true, backfill: true });
      await sub.caughtUp(ctx);
      expect(delivered.toSorted()).toEqual([...found.values()].sort());
      await conn.close();
    }
  }, 60_000);

  it('of a subscriber repeats at most what it had not stored, and loses nothing', async () => {
    conn = connectSqlite(path, { logger: null });
    await publish(range(5000));
    const child = newChild(`
      const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
      const handle = async (_, event) => { await pause(); say(event.data.json() + '') };
      await conn.subscribe('s', handle, { name: 'n', durable: true, backfill: true, concurrency: 20 });`);
    await child.says(2500);
    await child.kill();
    const handled = child.said.map(Number);
    const seen: number[] = [];
    const sub = await conn.subscribe('s', (_, event) => void seen.push(numberOf(event)), {
      name: 'n',
      durable: true,
      backfill: true,
      concurrency: 20,
    });
    using timeout = withTimeout(ctx, 10_000);
    await sub.caughtUp(timeout.ctx);
    expect([...new Set([...handled, ...seen])].sort((a, b) => a - b)).toEqual(range(5000));
    expect(new Set(seen).size).toBe(seen.length);
    expect(handled.length + seen.length - 5000).toBeLessThanOrEqual(1000);
  }, 60_000);
});

describe('a durable subscription with an order in two processes', () => {
  const options = { name: 'n', durable: true, keyBy: 'stream' } as const;
  const subscribe = `
    const sub = await conn.subscribe('s', (_, event) => say('' + event.data.json()), ${JSON.stringify(options)});
    say(sub.status().state);`;

  /** Another process that is active, and a subscription here that stands by. */
  async function activeAndStandby(then = ''): Promise<{ child: Child; seen: number[]; state: () => string }> {
    conn = connectSqlite(path, { logger: null });
    const child = newChild(subscribe + then);
    await child.says(1);
    expect(child.said).toEqual(['running']);
    const seen: number[] = [];
    const sub = await conn.subscribe('s', (_, event) => void seen.push(numberOf(event)), options);
    expect(sub.status().state).toBe('standby');
    await publish(range(100));
    await child.says(101);
    await vi.waitUntil(() => sub.status().lag === 0);
    expect(seen).toEqual([]);
    return { child, seen, state: () => sub.status().state };
  }

  it('is taken over within seconds when the active one is killed', async () => {
    const { child, seen, state } = await activeAndStandby();
    await child.kill();
    const killed = performance.now();
    await publish(range(100, 100));
    await vi.waitUntil(() => state() === 'running', { timeout: 10_000 });
    expect(performance.now() - killed).toBeLessThan(6000);
    await vi.waitUntil(() => seen.length === 100);
    expect(seen).toEqual(range(100, 100));
  }, 30_000);

  it('is taken over at once when the active one closes', async () => {
    const { child, seen, state } = await activeAndStandby(
      'process.stdin.once("data", () => conn.close().then(() => process.exit()));',
    );
    child.nudge();
    await child.exited();
    const closed = performance.now();
    await publish(range(100, 100));
    await vi.waitUntil(() => state() === 'running', { interval: 5 });
    expect(performance.now() - closed).toBeLessThan(1000);
    await vi.waitUntil(() => seen.length === 100);
  }, 30_000);

  it('begins again where a third one resets it', async () => {
    const { child, seen, state } = await activeAndStandby();
    const third = connectSqlite(path, { logger: null });
    await third.close();
    await conn.close();
    conn = connectSqlite(path, { logger: null });
    const replayed: number[] = [];
    const begun = { ...options, backfill: true, reset: true };
    const sub = await conn.subscribe('s', (_, event) => void replayed.push(numberOf(event)), begun);
    await sub.caughtUp(ctx);
    expect(replayed).toEqual(range(100));
    await publish([100]);
    await vi.waitUntil(() => replayed.length === 101);
    expect([child.said.length, seen.length, state()]).toEqual([101, 0, 'closed']);
  }, 30_000);
});

describe('two processes on one log', () => {
  it('never both win a head', async () => {
    conn = connectSqlite(path, { logger: null });
    const rounds = 150;
    const child = newChild(`
      for (let won = 0; won < ${rounds}; ) {
        const expectedHead = await conn.head(ctx, 's');
        try {
          say(await conn.publish(ctx, 's', { type: 'theirs' }, { expectedHead }));
          won++;
        } catch (error) {
          if (error.id !== 'eda.headConflict') throw error;
        }
      }
      await conn.close();`);
    await child.says(1);
    const mine: EventId[] = [];
    while (mine.length < rounds) {
      const expectedHead = await conn.head(ctx, 's');
      const won = await conn.publish(ctx, 's', { type: 'mine' }, { expectedHead }).catch((error) => {
        if (error.id !== 'eda.headConflict') throw error;
      });
      if (won !== undefined) mine.push(won);
    }
    await child.exited();
    const found = await readAll('s');
    expect(found.map(({ id }) => id)).toEqual([...mine, ...child.said].sort());
    expect(found.filter(({ type }) => type === 'mine')).toHaveLength(rounds);
  }, 30_000);

  it('wake each other soon, and share keys', async () => {
    conn = connectSqlite(path, { logger: null });
    const latencies: number[] = [];
    const child = newChild(`
      for (let n = 0; n < 50; n++) {
        await conn.publish(ctx, 's.' + (n % 3), { type: 't', data: Data.json(Date.now()) });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      say(await conn.publish(ctx, 's', { type: 't' }, { key: 'k' }));
      await conn.close();`);
    for await (const event of conn.read(ctx, 's.*', { watch: true, limit: 50 }))
      latencies.push(Date.now() - numberOf(event));
    await child.exited();
    // Far above what it takes, far below any timeout that could have woken the reader instead.
    expect(Math.max(...latencies)).toBeLessThan(2000);
    expect(await conn.publish(ctx, 's', { type: 't' }, { key: 'k' })).toBe(child.said[0]);
  }, 30_000);

  it('may make it at once', async () => {
    const code = `say(await conn.publish(ctx, 's', { type: 't' })); await conn.close();`;
    const four = range(4).map(() => newChild(code));
    await Promise.all(four.map((child) => child.exited()));
    conn = connectSqlite(path, { logger: null });
    expect((await readAll('s')).map(({ id }) => id)).toEqual(four.flatMap(({ said }) => said).sort());
  }, 30_000);
});
