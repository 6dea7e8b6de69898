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

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe('kill -9 of a subscriber that has parked an event', () => {
  const options = { name: 'n', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 1 } as const;
  const subscribe = (isBroken: boolean) => `
    const handle = (_, event) => {
      if (${isBroken} && event.stream === 's.hot') throw new Error('spilt');
      say(event.stream + ' ' + event.data.json());
    };
    await conn.subscribe('s.*', handle, ${JSON.stringify(options)});`;
  const publishTo = (stream: string, numbers: readonly number[]) =>
    conn.publishAll(
      ctx,
      stream,
      numbers.map((n) => ({ type: 't', data: Data.json(n) })),
    );

  it('loses none of what is parked, waits or is replayed, nor its order', async () => {
    conn = connectSqlite(path, { logger: null });
    const said: string[] = [];
    const killedAt = async (child: Child, count: number) => {
      await child.says(count);
      await child.kill();
      said.push(...child.said);
    };
    for (const round of range(3)) {
      const child = newChild(subscribe(true));
      for (const n of range(6, round * 6)) {
        await publishTo('s.hot', range(100, n * 100));
        await publishTo('s.cold', range(100, n * 100));
      }
      await killedAt(child, 200 + round * 150);
    }
    const parked = conn.parked('n');
    const child = newChild(`${subscribe(false)} await conn.parked('n').replay(ctx, 'all', { limit: 10_000 });`);
    await killedAt(child, 700);
    const handle = (_: unknown, event: Event) => void said.push(`${event.stream} ${event.data.json<number>()}`);
    const sub = await conn.subscribe('s.*', handle, options);
    using timeout = withTimeout(ctx, 20_000);
    await sub.caughtUp(timeout.ctx);
    expect(await parked.count(ctx)).toBe(0);
    expect(sub.status()).toMatchObject({ state: 'running', parked: 0, lag: 0 });
    const of = (stream: string) => said.flatMap((line) => (line.startsWith(stream) ? Number(line.split(' ')[1]) : []));
    const [hot, cold] = [of('s.hot'), of('s.cold')];
    expect([...new Set(hot)]).toEqual(range(1800));
    expect([...new Set(cold)].sort((a, b) => a - b)).toEqual(range(1800));
    // Each kill repeats what was not stored yet, at most.
    expect(hot.length).toBeLessThanOrEqual(1800 + 1000);
    expect(cold.length).toBeLessThanOrEqual(1800 + 4 * 1000);
  }, 90_000);
});

describe('parked events of a subscription in two processes', () => {
  it('carries out what another process requests of its parked events, and says in both what is parked', async () => {
    conn = connectSqlite(path, { logger: null });
    const options = { name: 'n', durable: true, keyBy: 'stream', maxDeliver: 1 } as const;
    const child = newChild(`
      const { replaying } = await import('@samovar/eda');
      const handle = (ctx, event) => {
        say(event.data.json() + ' ' + ctx.value(replaying));
        if (event.data.json() === 0 && !ctx.value(replaying)) throw new Error('spilt');
      };
      const sub = await conn.subscribe('s', handle, ${JSON.stringify(options)});
      say(sub.status().state);`);
    await child.says(1);
    const sub = await conn.subscribe('s', () => {}, options);
    const ids = await conn.publishAll(
      ctx,
      's',
      range(3).map((n) => ({ type: 't', data: Data.json(n) })),
    );
    const waiting = sub.caughtUp(ctx);
    await expect(waiting).rejects.toMatchObject({ id: 'eda.parked', details: { id: ids[0] } });
    await vi.waitUntil(() => sub.status().parked === 1);
    expect(sub.status()).toMatchObject({ state: 'standby', parked: 1, lag: 3, lastAcked: null });
    const requested = performance.now();
    await conn.parked('n').replay(ctx, ids[0] as EventId);
    await sub.caughtUp(ctx);
    expect(performance.now() - requested).toBeLessThan(2000);
    expect(child.said).toEqual(['running', '0 false', '0 true', '1 false', '2 false']);
    expect(sub.status()).toMatchObject({ state: 'standby', parked: 0, lag: 0 });
  }, 30_000);
});
