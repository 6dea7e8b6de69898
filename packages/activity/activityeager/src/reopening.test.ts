import { setImmediate } from 'node:timers/promises';
import { endOfStream, type Tail } from '@samovar/activity';
import { FakeEntityEvents, FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { EagerEngine } from './activityeager.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');

it('gives an activity that ends another stream at once if it has made progress, else after pauses that grow', async () => {
  const clock = new TestClock();
  const events = new FakeEntityEvents();
  await using engine = new EagerEngine({ events, leases: new FakeLeases(), logger: new RecordingLogger(), clock });
  const ids = events.append({ kind: 'repo', repoId }, { type: 'a' }, { type: 'b' });
  const tails: Tail[] = [];
  const answers = [...ids];
  const handle = await engine.startRepoActivity(
    ctx,
    repoId,
    async (_, __, tail) => {
      tails.push(tail);
      return endOfStream(answers.shift() ?? tail);
    },
    { name: 'tea' },
  );
  const pauses: number[] = [];
  for (let run = 3; run <= 7; run++) {
    while (tails.length < run || handle.status().state !== 'sleeping') await setImmediate();
    const pause = (handle.status().nextRun?.getTime() ?? 0) - clock.now();
    pauses.push(pause);
    clock.advance(pause - 1);
    expect(handle.status().state).toBe('sleeping');
    clock.advance(1);
  }
  expect(tails.slice(0, 4)).toEqual([null, ids[0], ids[1], ids[1]]);
  for (const [n, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(50 * 2 ** n);
    expect(pause).toBeLessThanOrEqual(100 * 2 ** n);
  }
});
