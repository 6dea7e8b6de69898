import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { Data, type Event, type EventId, type SubscriptionInfo } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  path = join(folder, 'events.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const subscriptionsOfVersion1 = `
  CREATE TABLE subscriptions (
    name TEXT PRIMARY KEY, selector TEXT NOT NULL, high INTEGER NOT NULL, pending TEXT NOT NULL, acked INTEGER NOT NULL,
    last TEXT, owner TEXT NOT NULL, epoch INTEGER NOT NULL, beat INTEGER NOT NULL, expires INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`;

const downgrades = {
  1: `
    ${subscriptionsOfVersion1};
    INSERT INTO subscriptions
      SELECT name, selector, high, pending, acked, last, owner, epoch, beat, expires FROM durable_subscriptions;
    DROP TABLE durable_subscriptions;
    DROP TABLE parked; DROP TABLE parked_waiting`,
  2: `
    ALTER TABLE durable_subscriptions DROP COLUMN shares;
    ALTER TABLE durable_subscriptions RENAME TO subscriptions;
    DROP TABLE parked; DROP TABLE parked_waiting`,
  3: 'ALTER TABLE durable_subscriptions DROP COLUMN shares',
};

/** A log as an older version left it: five events, of which the subscription `n` has acknowledged the first three. */
async function makeOlder(version: keyof typeof downgrades): Promise<EventId[]> {
  const conn = connectSqlite(path, { logger: null });
  const ids = await conn.publishAll(ctx, 's', events(5));
  const subscription = await conn.subscribe('s', stopAt(3), { name: 'n', durable: true, backfill: true, serial: true });
  await subscription.caughtUp(ctx, ids[2]);
  await conn.close();
  const db = new DatabaseSync(path);
  db.exec(`
    ${downgrades[version]};
    PRAGMA user_version = ${version}`);
  db.close();
  return ids;
}

function events(count: number) {
  return Array.from({ length: count }, (_, n) => ({ type: 't', data: Data.json(n) }));
}

function stopAt(n: number) {
  return (_: unknown, event: Event) => {
    if (event.data.json<number>() >= n) throw new Error('spilt');
  };
}

function headerVersion(): number {
  return readFileSync(path).readUInt32BE(60);
}

function columns(file: string): unknown[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = "('subscriptions', 'durable_subscriptions', 'parked', 'parked_waiting')";
    const info = `SELECT m.name AS of, m.type AS kind, i.* FROM sqlite_schema m, pragma_table_info(m.name) i WHERE m.tbl_name IN ${tables}`;
    return db.prepare(`${info} ORDER BY of, cid`).all();
  } finally {
    db.close();
  }
}

async function kept(): Promise<SubscriptionInfo[]> {
  await using conn = connectSqlite(path);
  const infos: SubscriptionInfo[] = [];
  for await (const info of conn.subscriptions(ctx)) infos.push(info);
  return infos;
}

describe('a log of an older version', () => {
  it.each([1, 2, 3] as const)(
    'becomes like a new one when it is opened, and keeps what it has: version %d',
    async (version) => {
      const ids = await makeOlder(version);
      expect(headerVersion()).toBe(version);
      const common = { timeout: 30_000, keyBy: null, maxDeliver: 10 };
      const options =
        version === 1
          ? { backfill: false, serial: false, concurrency: 64, ...common }
          : { backfill: true, serial: true, concurrency: 1, ...common };
      expect(await kept()).toEqual([{ name: 'n', selector: 's', options, lastAcked: ids[2] }]);
      expect(headerVersion()).toBe(4);
      await connectSqlite(join(folder, 'new.db')).close();
      expect(columns(path)).toEqual(columns(join(folder, 'new.db')));
    },
  );

  it('goes on where its subscriptions stopped, and says nothing of options that it does not know', async () => {
    await makeOlder(1);
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const seen: number[] = [];
    const options = { backfill: true, serial: false, concurrency: 2, timeout: 1234, maxDeliver: 2 };
    {
      await using conn = connectSqlite(path, { logger });
      const handle = (_: unknown, event: Event) => void seen.push(event.data.json());
      const subscription = await conn.subscribe('s', handle, { name: 'n', durable: true, ...options });
      await subscription.caughtUp(ctx);
    }
    expect(new Set(seen)).toEqual(new Set([3, 4]));
    expect(logger.info).not.toHaveBeenCalled();
    expect((await kept()).map((info) => info.options)).toEqual([{ ...options, keyBy: null }]);
  });

  it('may be upgraded by several processes at once', async () => {
    await makeOlder(1);
    const program = `
      import { writeSync } from 'node:fs';
      import { background as ctx } from '@samovar/context';
      const { connectSqlite } = await import('./src/edasqlite.ts');
      writeSync(1, 'ready');
      await using conn = connectSqlite(${JSON.stringify(path)}, { logger: null });
      await conn.publish(ctx, 's', { type: 't' });`;
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    const cwd = join(import.meta.dirname, '..');
    // Nobody can upgrade it until all are about to.
    const lock = new DatabaseSync(path);
    lock.exec('BEGIN IMMEDIATE');
    try {
      const children = [1, 2, 3, 4].map(() =>
        spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] }),
      );
      const exits = children.map((child) => once(child, 'exit'));
      await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
      lock.exec('ROLLBACK');
      expect(await Promise.all(exits)).toEqual(children.map(() => [0, null]));
    } finally {
      lock.close();
    }
    await using conn = connectSqlite(path);
    let count = 0;
    for await (const _ of conn.read(ctx, 's')) count++;
    expect([count, headerVersion()]).toEqual([9, 4]);
  }, 30_000);

  it.each([1, 2, 3] as const)(
    'that a program of version %d has open is upgraded all the same: that one stores no positions any more',
    async (version) => {
      await makeOlder(version);
      const older = new DatabaseSync(path);
      try {
        const row = ['n', 's', 0, '[]', 0, null, '', 99, 1, 0, '{}'].slice(0, version === 1 ? 10 : 11);
        const [table, values] = [version === 3 ? 'durable_subscriptions' : 'subscriptions', row.map(() => '?').join()];
        const replace = older.prepare(`REPLACE INTO ${table} VALUES (${values})`);
        const position = older.prepare('UPDATE log SET position = position');
        position.run();
        const before = await kept();
        // What tells the next older program that this is not for it is in the file itself by now.
        expect(headerVersion()).toBe(4);
        position.run();
        expect(() => replace.run(...row)).toThrow(version === 3 ? /12 columns/ : /no such table/);
        expect(await kept()).toEqual(before);
      } finally {
        older.close();
      }
    },
  );

  it('is refused, unchanged, where its journal says that it is of a newer version by now', async () => {
    await makeOlder(1);
    const newer = new DatabaseSync(path);
    try {
      newer.exec('PRAGMA user_version = 5');
      expect(headerVersion()).toBe(1);
      expect(() => connectSqlite(path)).toThrow(
        expect.objectContaining({ id: 'eda.notALog', message: expect.stringMatching(/newer version/) }),
      );
      expect(newer.prepare('PRAGMA user_version').get()).toEqual({ user_version: 5 });
      expect(columns(path)).toHaveLength(10);
    } finally {
      newer.close();
    }
  });
});
