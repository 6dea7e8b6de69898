import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { type Conn, Data } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectSqlite } from './edasqlite.ts';
import { SqliteSubscriptions } from './subscriptions.ts';

let folder: string;
let path: string;
let conn: Conn;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  path = join(folder, 'events.db');
  conn = connectSqlite(path, { logger: null });
});
afterEach(async () => {
  await conn.close();
  rmSync(folder, { recursive: true });
});

/** Publishes `commits` of `size` events, ten at a time. */
async function publish(commits: number, size: number, data: Data): Promise<void> {
  const events = Array.from({ length: size }, () => ({ type: 't', data }));
  let left = commits;
  const publisher = async (_: unknown, i: number) => {
    while (left-- > 0) await conn.publishAll(ctx, `s.${i}`, events);
  };
  await Promise.all(Array.from({ length: 10 }, publisher));
}

it('copies the journal into the file while it goes on publishing', async () => {
  await publish(1000, 10, Data.string('x'.repeat(2000)));
  const sizeOf = (file: string) => statSync(file).size / 1024 / 1024;
  expect(sizeOf(path)).toBeGreaterThan(15);
  expect(sizeOf(`${path}-wal`)).toBeLessThan(8);
});

it('folds as fast as it stores, however much is in flight', async () => {
  const events = 400_000;
  await publish(events / 1000, 1000, Data.nil);
  const db = new DatabaseSync(path, { readOnly: true });
  const folded = db.prepare('SELECT count(*) AS n FROM stream_events').get()?.n as number;
  db.close();
  // Folding begins at 131,072 at the latest.
  expect(events - folded).toBeLessThan(150_000);
}, 60_000);

describe('waits for the disk', () => {
  /** How the last transaction was committed. */
  let last: () => string | undefined;
  beforeEach(() => {
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec');
    const told = () => exec.mock.calls.flatMap(([sql]) => /synchronous = (\w+)/.exec(sql)?.[1] ?? []);
    last = () => told().at(-1) ?? 'FULL';
  });
  afterEach(() => vi.restoreAllMocks());

  const options = { name: 'guest', durable: true, backfill: true, maxDeliver: 1 };
  const isLazy = () => vi.waitFor(() => expect(last()).toBe('NORMAL'));

  it('for what is published, not for how far a subscription has come', async () => {
    await publish(10, 10, Data.nil);
    expect(last()).toBe('FULL');
    const subscription = await conn.subscribe('>', () => {}, options);
    await subscription.caughtUp(ctx);
    await isLazy();
    await publish(1, 1, Data.nil);
    expect(last()).toBe('FULL');
    await subscription.caughtUp(ctx);
    await isLazy();
    await subscription.close();
    expect(last()).toBe('FULL');
  });

  it('for both where they come together', async () => {
    await publish(10, 1000, Data.nil);
    let left = 500;
    const acked: (string | undefined)[] = [];
    const subscription = await conn.subscribe(
      '>',
      async () => {
        if (left-- <= 0) return;
        await conn.publish(ctx, 's.0', { type: 't' });
        acked.push(last());
      },
      options,
    );
    await subscription.caughtUp(ctx);
    await vi.waitFor(() => expect(acked).toHaveLength(500));
    expect(new Set(acked)).toEqual(new Set(['FULL']));
  });

  it('for what is parked, and for what is to become of it', async () => {
    await publish(1, 1, Data.nil);
    const change = vi.spyOn(SqliteSubscriptions.prototype, 'change');
    const subscription = await conn.subscribe('>', () => Promise.reject(new Error('spilt')), options);
    await vi.waitFor(() => expect(subscription.status()).toMatchObject({ parked: 1 }));
    expect(change.mock.calls.map(([, , options]) => options)).toContainEqual({ isLazy: false });
    for await (const { event } of conn.parked('guest').list(ctx)) {
      await isLazy();
      await conn.parked('guest').skip(ctx, event.id);
      expect(last()).toBe('FULL');
    }
  });
});
