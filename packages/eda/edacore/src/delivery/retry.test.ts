import { afterEach, expect, it, vi } from 'vitest';
import { retryDelay } from './retry.ts';

afterEach(() => vi.restoreAllMocks());

it.each([
  [1, 50, 100],
  [2, 100, 200],
  [5, 800, 1600],
  [9, 12_800, 25_600],
  [10, 15_000, 30_000],
  [5000, 15_000, 30_000],
])('an event is due again after %d failures in %d to %d ms, spread over all of them', (attempts, least, most) => {
  const random = vi.spyOn(Math, 'random');
  const delays = [0, 0.5, 1].map((value) => {
    random.mockReturnValue(value);
    return retryDelay(attempts);
  });
  expect(delays).toEqual([least, (least + most) / 2, most]);
});
