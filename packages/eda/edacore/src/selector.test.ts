import { expect, it } from 'vitest';
import { parseSelector } from './selector.ts';

it.each([
  ['a.b', 'exact', 'a.b', ['a.b'], ['a', 'a.b.c', 'axb']],
  ['a.*', 'pattern', 'a.', ['a.b', 'a.~2E'], ['a', 'a.b.c', 'b.a', 'ab.c']],
  ['*.b', 'pattern', '', ['a.b'], ['b', 'a.b.c', 'a.bb']],
  ['a.*.c', 'pattern', 'a.', ['a.b.c'], ['a.c', 'a.b.b.c']],
  ['a.>', 'pattern', 'a.', ['a.b', 'a.b.c'], ['a', 'ab', 'b.a']],
  ['*', 'pattern', '', ['a'], ['a.b']],
  ['*.>', 'pattern', '', ['a.b', 'a.b.c'], ['a']],
  ['>', 'all', '', ['a', 'a.b'], []],
])('%s is of kind %s, begins with %j, and matches what it should', (text, kind, prefix, matching, others) => {
  const selector = parseSelector(text);
  expect(selector).toMatchObject({ text, kind, prefix });
  for (const stream of matching) expect(selector.matches(stream)).toBe(true);
  for (const stream of others) expect(selector.matches(stream)).toBe(false);
});
