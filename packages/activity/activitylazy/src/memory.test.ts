import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ActivityHandle, endOfStream } from '@samovar/activity';
import { FakeEntityEvents, FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { LazyEngine } from './activitylazy.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const count = 20_000;
const repoIds = Array.from({ length: count }, (_, n) =>
  Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-${String(n).padStart(12, '0')}`),
);

async function heapUsed(): Promise<number> {
  collect();
  await delay(10);
  collect();
  return process.memoryUsage().heapUsed;
}

it('takes less than 1 KiB of heap for an activity that sleeps', async () => {
  const events = new FakeEntityEvents();
  const leases = new FakeLeases();
  const startAll = async () => {
    const engine = new LazyEngine({ events, leases, logger: new RecordingLogger(), clock: new TestClock() });
    const handles: ActivityHandle[] = await Promise.all(
      repoIds.map((repoId) => engine.startRepoActivity(ctx, repoId, async () => endOfStream(null), { name: 'tea' })),
    );
    await engine.quiet();
    return { engine, handles };
  };
  // Not to count what leases keep of activities.
  await (await startAll()).engine.stop();
  const before = await heapUsed();
  const { engine, handles } = await startAll();
  const each = ((await heapUsed()) - before) / count;
  expect(handles.every((handle) => handle.status().state === 'sleeping')).toBe(true);
  expect(each).toBeLessThan(1024);
  expect(each).toBeGreaterThan(100);
  await engine.stop();
});
