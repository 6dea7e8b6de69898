import { background } from '@samovar/context';
import { expect, it } from 'vitest';
import { Waiters } from './waiters.ts';

it('tells which place is waited for first, until it is reached', async () => {
  const waiters = new Waiters();
  expect(waiters.first).toBeUndefined();
  const waiting = [30, 10, 20].map((target) => waiters.wait(background, waiters, target));
  expect(waiters.first).toBe(10);
  waiters.reached(20);
  expect(waiters.first).toBe(30);
  waiters.reached(30);
  await Promise.all(waiting);
  expect(waiters.first).toBeUndefined();
});
