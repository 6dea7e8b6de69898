import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

describe('the system clock', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it.each([100, 2 ** 31 - 1, 2 ** 31, 2 ** 33])('calls after %d ms, not earlier', (ms) => {
    const fn = vi.fn();
    systemClock.after(ms, fn);
    vi.advanceTimersByTime(ms - 1);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('does not call after an infinite time, nor once that is disposed', () => {
    const fn = vi.fn();
    const never = systemClock.after(Number.POSITIVE_INFINITY, fn);
    const disposed = systemClock.after(2 ** 32, fn);
    vi.advanceTimersByTime(2 ** 31);
    for (const timer of [never, disposed]) timer[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(2 ** 33);
    expect(fn).not.toHaveBeenCalled();
  });
});
