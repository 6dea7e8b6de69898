import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
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

/** Another process that has the log open as `conn`, runs `code`, and closes it. */
function startChild(code: string): Child {
  const parts = `
    const { once } = await import('node:events');
    const nudged = () => once(process.stdin, 'data');
    const fill = async (stream, count) => {
      const events = Array.from({ length: 1000 }, (_, n) => ({ type: 't', data: Data.json(n) }));
      for (let n = 0; n < count; n += 1000) await conn.publishAll(ctx, stream, events);
    };`;
  const child = new Child(path, `${parts} ${code} await conn.close(); process.exit();`);
  children.push(child);
  return child;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function fill(stream: string, count: number): Promise<EventId[]> {
  const ids: EventId[] = [];
  for (let at = 0; at < count; at += 1000) {
    const events = range(Math.min(1000, count - at)).map((n) => ({ type: 't', data: Data.json(at + n) }));
    ids.push(...(await conn.publishAll(ctx, stream, events)));
  }
  return ids;
}

async function readAll(selector: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of conn.read(ctx, selector)) events.push(event);
  return events;
}

/** What a query answers about the file, of which there is one row with one number. */
function stored(query: string): number {
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    return Object.values(db.prepare(query).get() as object)[0] as number;
  } finally {
    db.close();
  }
}

describe('what another process erases', () => {
  it('is gone for heads, readers, watchers, subscriptions and keys', async () => {
    conn = connectSqlite(path, { logger: null });
    await fill('s', 3000);
    await conn.publish(ctx, 's', { type: 't', data: Data.json(3000) }, { key: 'k' });
    await conn.publish(ctx, 'other', { type: 't', data: Data.json(-1) });
    const handled: number[] = [];
    const first = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const handle = async (_: unknown, event: Event) => {
      handled.push(event.data.json());
      first.resolve();
      await release.promise;
    };
    const sub = await conn.subscribe('>', handle, { backfill: true, serial: true });
    await first.promise;
    const reading = conn.read(ctx, 's')[Symbol.asyncIterator]();
    await reading.next();
    const child = startChild(`
      await conn.erase(ctx, 's');
      say(await conn.publish(ctx, 's', { type: 't', data: Data.json(1) }, { expectedHead: null }));`);
    await child.exited();
    const [id] = child.said;
    expect(await conn.head(ctx, 's')).toBe(id);
    expect((await readAll('s')).map((event) => event.id)).toEqual([id]);
    expect((await reading.next()).done).toBe(true);
    release.resolve();
    await sub.caughtUp(ctx);
    expect(handled).toEqual([0, -1, 1]);
    expect(await conn.publish(ctx, 's', { type: 't' }, { key: 'k' }).catch((error) => error.id)).toBe(
      'eda.duplicateErased',
    );
    await expect(conn.publish(ctx, 's', { type: 't' }, { expectedHead: id as EventId })).resolves.toBeDefined();
  }, 30_000);

  it('is gone also for one that finds no trace of it', async () => {
    conn = connectSqlite(path, { logger: null });
    await fill('s', 100);
    const [last] = (await fill('t', 100)).slice(-1);
    const child = startChild(`
      say(await conn.head(ctx, 's'));
      await nudged();
      say(await conn.head(ctx, 's'));
      say(await conn.head(ctx, 't'));
      for await (const { events } of conn.streams(ctx)) say(events);
      say(await conn.publish(ctx, 's', { type: 't' }, { expectedHead: null }));`);
    await child.says(1);
    await conn.erase(ctx, 's');
    const db = new DatabaseSync(path);
    db.exec(`DELETE FROM streams WHERE name > '!' AND name < '"'`);
    db.close();
    child.nudge();
    await child.exited();
    expect(child.said.slice(1)).toEqual(['null', last, '100', await conn.head(ctx, 's')]);
  }, 30_000);

  it('tears nothing when both erase and publish all the time', async () => {
    conn = connectSqlite(path, { logger: null });
    const rounds = 60;
    const child = startChild(`
      for (let n = 0; n < ${rounds}; n++) {
        (await conn.publishAll(ctx, 's', [{ type: 't' }, { type: 't' }], { key: 'theirs ' + n })).forEach(say);
        if (n % 3 === 0) await conn.erase(ctx, 's');
      }`);
    const mine: EventId[] = [];
    for (const n of range(rounds)) {
      mine.push(...(await conn.publishAll(ctx, 's', [{ type: 't' }, { type: 't' }], { key: `mine ${n}` })));
      const found = (await readAll('s')).map(({ id }) => id);
      expect(found.length % 2).toBe(0);
      expect(found).toEqual([...new Set(found)].toSorted());
      if (n % 4 === 0) await conn.erase(ctx, 's');
    }
    await child.exited();
    const all = [...mine, ...child.said];
    expect(new Set(all).size).toBe(rounds * 4);
    const found = await readAll('>');
    expect(all).toEqual(expect.arrayContaining(found.map(({ id }) => id)));
    const counts: number[] = [];
    for await (const { events } of conn.streams(ctx)) counts.push(events);
    expect(counts).toEqual(found.length === 0 ? [] : [found.length]);
    expect(stored('SELECT count(*) FROM events')).toBe(found.length);
    expect(stored('SELECT events FROM log')).toBe(found.length);
  }, 60_000);
});

describe('kill -9 of a process that erases', () => {
  const count = 30_000;

  async function killedWhen(moment: () => Promise<unknown>): Promise<number> {
    const child = startChild(`await fill('s', ${count}); say('full'); await conn.erase(ctx, 's'); say('erased');`);
    await child.says(1);
    await moment();
    await child.kill();
    conn = connectSqlite(path, { logger: null });
    const found = await readAll('s');
    expect([0, count]).toContain(found.length);
    expect(await conn.head(ctx, 's')).toBe(found.at(-1)?.id ?? null);
    expect(await readAll('>')).toHaveLength(found.length);
    return found.length;
  }

  it.each([0, 1, 2, 4, 8])(
    'leaves all of a stream or nothing (%s looks after it began)',
    async (looks) => {
      await killedWhen(async () => {
        for (let n = 0; n < looks; n++) stored('SELECT count(*) FROM events');
      });
      await conn.erase(ctx, 's');
      expect(await readAll('>')).toEqual([]);
      expect(stored('SELECT count(*) FROM events')).toBe(0);
    },
    30_000,
  );

  it('while it removes what is erased, leaves the rest to whoever opens the log next', async () => {
    const left = () => stored('SELECT count(*) FROM events');
    const found = await killedWhen(() => vi.waitUntil(() => left() < count, { timeout: 20_000, interval: 0 }));
    expect(found).toBe(0);
    const id = await conn.publish(ctx, 's', { type: 't' }, { expectedHead: null });
    await vi.waitUntil(() => left() === 1, { timeout: 20_000 });
    expect(await conn.head(ctx, 's')).toBe(id);
  }, 30_000);
});

describe('erasing', () => {
  it('frees the room that the events took for others', async () => {
    conn = connectSqlite(path, { logger: null });
    await fill('s', 40_000);
    await conn.publish(ctx, 'other', { type: 't' });
    const size = () => statSync(path).size + statSync(`${path}-wal`).size;
    const before = size();
    for (const [gone, next] of [
      ['s', 't'],
      ['t', 's'],
      ['s', 's'],
    ] as const) {
      await conn.erase(ctx, gone);
      await fill(next, 40_000);
    }
    await conn.close();
    expect(statSync(path).size).toBeLessThan(before * 1.2);
    expect(stored('SELECT count(*) FROM stream_events WHERE stream NOT IN (SELECT id FROM streams)')).toBe(0);
  }, 60_000);

  it('holds others up no longer than a step of it', async () => {
    conn = connectSqlite(path, { logger: null });
    await fill('s', 60_000);
    let isErased = false;
    const erasing = conn.erase(ctx, 's').then(() => {
      isErased = true;
    });
    let published = 0;
    while (!isErased) {
      await conn.publish(ctx, 'other', { type: 't' });
      published++;
    }
    await erasing;
    expect(published).toBeGreaterThan(15);
  }, 60_000);

  it('forgets the names of streams that were erased, when their keys are forgotten', async () => {
    conn = connectSqlite(path, { logger: null });
    await conn.publish(ctx, 'keyed', { type: 't' }, { key: 'k' });
    await conn.erase(ctx, 'keyed');
    for (const n of range(20)) {
      await conn.publish(ctx, `s.${n}`, { type: 't' });
      await conn.erase(ctx, `s.${n}`);
    }
    const names = `SELECT count(*) FROM streams WHERE name > '!' AND name < '"'`;
    expect(stored(names)).toBe(21);
    const db = new DatabaseSync(path);
    db.exec('DELETE FROM keys');
    db.close();
    for (const _ of range(4)) {
      await conn.publish(ctx, 'last', { type: 't' });
      await conn.erase(ctx, 'last');
    }
    expect(stored(names)).toBe(0);
  });
});
