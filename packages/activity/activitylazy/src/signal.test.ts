import { setImmediate } from 'node:timers/promises';
import { type EntityRef, endOfStream, type Outcome } from '@samovar/activity';
import { FakeEntityEvents, FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { LazyEngine } from './activitylazy.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');
const repo: EntityRef = { kind: 'repo', repoId };

it('a signal runs what sleeps although there are no events, and once more what is running', async () => {
  const options = { events: new FakeEntityEvents(), leases: new FakeLeases(), logger: new RecordingLogger() };
  await using engine = new LazyEngine({ ...options, clock: new TestClock() });
  const ends: ((outcome: Outcome) => void)[] = [];
  const activity = () => new Promise<Outcome>((resolve) => ends.push(resolve));
  const handle = await engine.startRepoActivity(ctx, repoId, activity, { name: 'tea' });
  engine.signal({ kind: 'registry', registry: 'main' });
  expect(handle.status().state).toBe('sleeping');
  engine.signal(repo);
  while (ends.length < 1) await setImmediate();
  engine.signal(repo);
  engine.signal(repo);
  ends[0]?.(endOfStream(null));
  while (ends.length < 2) await setImmediate();
  ends[1]?.(endOfStream(null));
  while (handle.status().state !== 'sleeping') await setImmediate();
  expect(ends).toHaveLength(2);
});
