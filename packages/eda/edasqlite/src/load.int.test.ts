import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { background as ctx } from '@samovar/context';
import { Data } from '@samovar/eda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('leaves turns to everybody else with 1,000 publications in flight and a subscriber behind them', async () => {
  const conn = connectSqlite(join(folder, 'events.db'), { logger: null });
  const total = 100_000;
  let handled = 0;
  const sub = await conn.subscribe('s.>', () => void handled++, { durable: true });
  let left = total;
  const publisher = async (p: number) => {
    while (left-- > 0)
      await conn.publish(ctx, `s.${p}`, { type: 't', data: Data.json({ left, text: 'x'.repeat(100) }) });
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await Promise.all(Array.from({ length: 1000 }, (_, p) => publisher(p)));
  await sub.caughtUp(ctx);
  delay.disable();
  expect(handled).toBe(total);
  // Groups are filled for 4 ms and then wait for the disk, which this machine may share; half of the turns tell.
  expect(delay.percentile(50) / 1e6).toBeLessThan(25);
  await conn.close();
}, 60_000);
