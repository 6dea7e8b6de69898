import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { type Conn, Data } from '@samovar/eda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

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
