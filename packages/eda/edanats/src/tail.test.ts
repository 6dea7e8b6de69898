import { expect, it } from 'vitest';
import { Tail } from './tail.ts';

it('expects the log to end behind what is under way', () => {
  const tail = new Tail();
  const first = tail.sent();
  expect(tail.expected).toBe(1);
  tail.answered(first, 7);
  expect(tail.expected).toBe(7);
  const [second, third] = [tail.sent(), tail.sent()];
  expect(tail.expected).toBe(9);
  tail.answered(second, 8);
  tail.answered(third, 9);
  expect(tail.expected).toBe(9);
});

it('takes what others have written as told, and what was not answered before something later as lost', () => {
  const tail = new Tail();
  const [, second] = [tail.sent(), tail.sent()];
  tail.answered(second, 20);
  expect(tail.expected).toBe(20);
  tail.answered(tail.sent(), 0);
  tail.answered(second, 5);
  expect(tail.expected).toBe(20);
  tail.forget();
  expect(tail.expected).toBe(0);
});
