import { describe, expect, it } from 'vitest';
import { Shared } from './shared.ts';

/** Runs that end when they are told to. */
function manual() {
  const runs: PromiseWithResolvers<number>[] = [];
  const shared = new Shared(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  const began = async (count: number) => {
    while (runs.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { runs, shared, began };
}

describe('Shared', () => {
  it('runs once for all who ask before it begins, and once more for all who ask while it runs', async () => {
    const { runs, shared, began } = manual();
    const early = [shared.run(), shared.run()];
    await began(1);
    const late = [shared.run(), shared.run()];
    runs[0]?.resolve(1);
    expect(await Promise.all(early)).toEqual([1, 1]);
    await began(2);
    runs[1]?.resolve(2);
    expect(await Promise.all(late)).toEqual([2, 2]);
    expect(runs).toHaveLength(2);
  });

  it('tells those who asked of a failure, and runs again', async () => {
    const { runs, shared, began } = manual();
    const failing = shared.run();
    await began(1);
    const next = shared.run();
    runs[0]?.reject(new Error('spilt'));
    await expect(failing).rejects.toThrow('spilt');
    await began(2);
    runs[1]?.resolve(2);
    expect(await next).toBe(2);
    await shared.idle();
  });
});
