import { expect, it } from 'vitest';
import { background, traceParent, withTraceParent } from './context.ts';

const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

it('keeps the trace that a caller names, of later versions what is known', () => {
  expect(background.value(traceParent)).toBeUndefined();
  expect(withTraceParent(background, given).value(traceParent)).toBe(given);
  const later = given.replace('00-', '42-');
  expect(withTraceParent(background, `${later}-what-comes`).value(traceParent)).toBe(later);
});

it.each([
  undefined,
  ['x'],
  '',
  'tea',
  given.slice(1),
  given.toUpperCase(),
  given.replace('00-', 'ff-'),
  given.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
  given.replace('b7ad6b7169203331', '0'.repeat(16)),
  `${given}0`,
])('takes %j for none', (header) => {
  expect(withTraceParent(background, header)).toBe(background);
});
