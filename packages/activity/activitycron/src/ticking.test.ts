import { setImmediate } from 'node:timers/promises';
import { endOfStream, type Outcome } from '@samovar/activity';
import { FakeEntityEvents, FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { describe, expect, it } from 'vitest';
import { CronEngine } from './activitycron.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');

function newEngine(everyMs: number) {
  const clock = new TestClock();
  const options = { events: new FakeEntityEvents(), leases: new FakeLeases(), logger: new RecordingLogger(), clock };
  return { clock, engine: new CronEngine({ ...options, everyMs }) };
}

describe('CronEngine', () => {
  it('runs what sleeps at each tick, and skips it for what is running', async () => {
    const { clock, engine } = newEngine(1_000);
    await using _ = engine;
    const ends: ((outcome: Outcome) => void)[] = [];
    const activity = () => new Promise<Outcome>((resolve) => ends.push(resolve));
    const handle = await engine.startRepoActivity(ctx, repoId, activity, { name: 'tea' });
    const sleeps = async () => {
      ends.at(-1)?.(endOfStream(null));
      while (handle.status().state !== 'sleeping') await setImmediate();
    };
    while (ends.length < 1) await setImmediate();
    clock.advance(2_500);
    await sleeps();
    expect(handle.status().nextRun).toEqual(new Date(clock.now() + 500));
    clock.advance(499);
    expect(handle.status().state).toBe('sleeping');
    clock.advance(1);
    while (ends.length < 2) await setImmediate();
    await sleeps();
    clock.advance(1_000);
    while (ends.length < 3) await setImmediate();
    await sleeps();
    expect(ends).toHaveLength(3);
  });

  it('does not try again what has failed at ticks, but after its pause', async () => {
    const { clock, engine } = newEngine(10);
    await using _ = engine;
    let runs = 0;
    const failing = () => {
      runs++;
      return Promise.reject(new Error('x'));
    };
    const handle = await engine.startRepoActivity(ctx, repoId, failing, { name: 'tea' });
    while (handle.status().state !== 'retrying') await setImmediate();
    clock.advance(40);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(runs).toBe(1);
    clock.advance(60);
    while (runs < 2) await setImmediate();
  });

  it.each([0, -1, 0.5, Number.NaN])('cannot tick every %s milliseconds', (everyMs) => {
    expect(() => newEngine(everyMs)).toThrow(RangeError);
  });
});
