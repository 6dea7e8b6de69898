import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx } from '@samovar/context';
import { type Conn, Data } from '@samovar/eda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

let folder: string;
let conn: Conn;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  conn = connectSqlite(join(folder, 'events.db'), { logger: null });
});
afterEach(async () => {
  await conn.close();
  rmSync(folder, { recursive: true });
});

/** Whose events come next, and how many; long enough for several pages each. */
const stretches: readonly (readonly [prefix: string, events: number])[] = [
  ['a', 3000],
  ['b', 3000],
  ['a', 1],
  ['b', 1500],
  ['a', 2500],
  ['b', 1],
];
const commitSize = 50;

async function publishStretches(): Promise<number[]> {
  const expected: number[] = [];
  let n = 0;
  for (const [prefix, events] of stretches) {
    for (let i = 0; i < events; i += commitSize) {
      const batch = Array.from({ length: Math.min(commitSize, events - i) }, () => {
        if (prefix === 'a') expected.push(n);
        return { type: 't', data: Data.json(n++) };
      });
      await conn.publishAll(ctx, `${prefix}.${n % 7}`, batch);
    }
  }
  return expected;
}

async function numbers(selector: string, backwards = false): Promise<number[]> {
  const found: number[] = [];
  for await (const { data } of conn.read(ctx, selector, { backwards })) found.push(data.json<number>());
  return found;
}

it('finds what matches a pattern through stretches where all, none and few of the events do', async () => {
  const expected = await publishStretches();
  expect(await numbers('a.*')).toEqual(expected);
  expect(await numbers('a.*', true)).toEqual(expected.toReversed());
  const handled: number[] = [];
  const handle = (_: unknown, { data }: { data: Data }) => void handled.push(data.json<number>());
  const subscription = await conn.subscribe('a.*', handle, { name: 's', durable: true, backfill: true });
  await subscription.caughtUp(ctx);
  expect(handled).toEqual(expected);
  expect(subscription.status()).toMatchObject({ lag: 0 });
});

it('leaves out what is erased after streams were looked at, for patterns and for everything', async () => {
  await publishStretches();
  const [all, matching] = [await numbers('>'), await numbers('a.*')];
  const erased = new Set(await numbers('a.1'));
  expect(erased.size).toBeGreaterThan(0);
  await conn.erase(ctx, 'a.1');
  expect(await numbers('>')).toEqual(all.filter((n) => !erased.has(n)));
  expect(await numbers('a.*')).toEqual(matching.filter((n) => !erased.has(n)));
});

it('finds every event of more streams than it keeps in memory, also again', async () => {
  const count = 101_000;
  await Promise.all(
    Array.from({ length: count }, (_, n) => conn.publish(ctx, `s.${n}`, { type: 't', data: Data.json(n) })),
  );
  const all = new Set(Array.from({ length: count }, (_, n) => n));
  for (const selector of ['s.*', 's.*', '>']) expect(new Set(await numbers(selector))).toEqual(all);
}, 60_000);
