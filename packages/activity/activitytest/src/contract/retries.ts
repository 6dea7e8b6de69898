import { type ActivityHandle, endOfStream, type Outcome, retry, SilentRetryAfter } from '@samovar/activity';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type Bench, repo, start } from './bench.ts';

const failing: () => Outcome = () => {
  throw new Error('x');
};

/** When an engine tries again. */
export function retries(bench: () => Bench): void {
  const pause = async (handle: ActivityHandle) => {
    await bench().state(handle, 'retrying');
    return (handle.status().nextRun?.getTime() ?? Number.NaN) - bench().clock.now();
  };

  it('after pauses that grow up to a minute, half of them at random', async () => {
    await bench().world.append(repo, 'a');
    const answering = new Answering(...Array.from({ length: 14 }, () => failing));
    const handle = await start(bench().engine(new FakeLeases()), repo, answering.run);
    for (let attempts = 1; attempts <= 13; attempts++) {
      const ms = await pause(handle);
      const full = Math.min(60_000, 100 * 2 ** (attempts - 1));
      expect(ms).toBeGreaterThanOrEqual(full / 2);
      expect(ms).toBeLessThanOrEqual(full);
      expect(handle.status().attempts).toBe(attempts);
      await bench().retry(handle);
      await bench().until(() => answering.tails.length === attempts + 1);
    }
  });

  it('not before its time, also when there is news', async () => {
    await bench().world.append(repo, 'a');
    const answering = new Answering(failing);
    const handle = await start(bench().engine(new FakeLeases()), repo, answering.run);
    const ms = await pause(handle);
    bench().clock.advance(Math.ceil(ms) - 1);
    await bench().world.append(repo, 'b');
    await bench().quiet();
    expect(handle.status().state).toBe('retrying');
    bench().clock.advance(1);
    await bench().until(() => answering.tails.length === 2);
  });

  it('soon again once there was progress', async () => {
    const [a, b] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering(
      failing,
      failing,
      failing,
      () => retry(b ?? null, new Error('y')),
      () => retry(a ?? null, new Error('z')),
      () => retry(b ?? null, new Error('z')),
      () => endOfStream(b ?? null),
    );
    const handle = await start(bench().engine(new FakeLeases()), repo, answering.run);
    const attempts: number[] = [];
    for (let runs = 2; runs <= 7; runs++) {
      await pause(handle);
      attempts.push(handle.status().attempts);
      await bench().retry(handle);
      await bench().until(() => answering.tails.length === runs);
    }
    // Going back, and coming to where it has been before, is no progress.
    expect(attempts).toEqual([1, 2, 3, 1, 2, 3]);
    await bench().until(() => handle.status().attempts === 0);
    expect(handle.status().lastError).toBeUndefined();
  });

  it('a SilentRetryAfter at its time, not earlier', async () => {
    await bench().world.append(repo, 'a');
    const after = new Date(bench().clock.now() + 1_800_000);
    const answering = new Answering(() => retry(null, new SilentRetryAfter(after)));
    const handle = await start(bench().engine(new FakeLeases()), repo, answering.run);
    await bench().state(handle, 'retrying');
    expect(handle.status().nextRun).toEqual(after);
    bench().clock.advance(1_799_999);
    await bench().quiet();
    expect(answering.tails).toHaveLength(1);
    bench().clock.advance(1);
    await bench().until(() => answering.tails.length === 2);
  });

  it('a SilentRetryAfter of the past after a pause as any other', async () => {
    await bench().world.append(repo, 'a');
    const answering = new Answering(() => retry(null, new SilentRetryAfter(new Date(0))));
    const handle = await start(bench().engine(new FakeLeases()), repo, answering.run);
    expect(await pause(handle)).toBeGreaterThanOrEqual(50);
  });
}
