import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx } from '@samovar/context';
import { Data } from '@samovar/eda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('leaves turns to everybody else while it stores a burst of 50,000 publications', async () => {
  const conn = connectSqlite(join(folder, 'events.db'), { logger: null });
  const event = { type: 't', data: Data.string('x'.repeat(100)) };
  let stored = false;
  let turns = 0;
  const takeTurn = () => {
    turns++;
    if (!stored) setImmediate(takeTurn);
  };
  const burst = Promise.all(Array.from({ length: 50_000 }, (_, n) => conn.publish(ctx, `s.${n % 1000}`, event)));
  takeTurn();
  await burst;
  stored = true;
  // One transaction for all would leave two or three.
  expect(turns).toBeGreaterThan(10);
  await conn.close();
}, 60_000);
