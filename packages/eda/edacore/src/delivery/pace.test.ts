import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** After many handlers that take `time` milliseconds, `inFlight` side by side. */
function paceOf(time: number, inFlight: number): Pace {
  const pace = new Pace(900);
  for (let n = 0; n < 1000; n++) pace.settled(time, inFlight - (n % inFlight));
  return pace;
}

it('is not known before any handler was through', () => {
  const pace = new Pace(900);
  expect([pace.enough(3), pace.isTooFast]).toEqual([0, false]);
});

it.each([
  [1000, 64, 2, 5],
  [1000, 64, 3, 7],
  [10, 64, 2, 512],
  [10, 1, 2, 8],
  [1000, 1, 2, 0],
])(
  'of %d ms, %d side by side, has one of %d processes take about %d events ahead',
  (time, inFlight, processes, about) => {
    const pace = paceOf(time, inFlight);
    expect(pace.isTooFast).toBe(false);
    expect(pace.enough(processes)).toBeLessThanOrEqual(about);
    expect(pace.enough(processes)).toBeGreaterThanOrEqual(Math.floor(about / 4));
  },
);

it('is too fast where a process would be through with the most it may have', () => {
  expect(paceOf(0.01, 1).isTooFast).toBe(true);
  expect(paceOf(0.01, 1).enough(2)).toBe(900);
  expect(paceOf(1, 64).isTooFast).toBe(true);
});
