import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Backoff } from './backoff.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** Milliseconds until `stream` is due. */
function pauseOf(backoff: Backoff, stream: string): number {
  let ms = 0;
  for (; !backoff.isDue(stream); ms++) vi.advanceTimersByTime(1);
  return ms;
}

it('waits longer from failure to failure, up to thirty seconds, and at least half of that', () => {
  const backoff = new Backoff();
  for (const bound of [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]) {
    backoff.fail('s', 1);
    const pause = pauseOf(backoff, 's');
    expect(pause).toBeGreaterThanOrEqual(bound / 2);
    expect(pause).toBeLessThanOrEqual(bound + 1);
  }
});

it('tells when a stream gets stuck and when it flows again', () => {
  const backoff = new Backoff();
  expect([backoff.fail('s', 1), backoff.fail('s', 1), backoff.isBlocked('s')]).toEqual([true, false, true]);
  expect([backoff.clear('s'), backoff.clear('s'), backoff.isBlocked('s')]).toEqual([true, false, false]);
});

it('does not hold a stream for a row that is gone', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 10; i++) backoff.fail('s', 1);
  expect(backoff.isDue('s')).toBe(false);
  expect(backoff.isDue('s', 1)).toBe(false);
  expect(backoff.isDue('s', 2)).toBe(true);
  expect(backoff.isDue('s', 1)).toBe(true);
});
