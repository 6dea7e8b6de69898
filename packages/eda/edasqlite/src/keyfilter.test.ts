import { expect, it } from 'vitest';
import { KeyFilter } from './keyfilter.ts';

const keys = Array.from({ length: 20_000 }, (_, n) => `letter-${n % 100}-${n}`);

function countOf(filter: KeyFilter, stream: number): number {
  return keys.filter((key) => filter.mayHave(stream, key)).length;
}

it('has every key that it was told of for three generations more, and hardly another', () => {
  const filter = new KeyFilter();
  filter.beginEmpty();
  for (const key of keys) filter.add(1, key);
  for (let turns = 0; turns <= 3; turns++) {
    expect(countOf(filter, 1)).toBe(keys.length);
    expect(countOf(filter, 2)).toBeLessThan(20);
    filter.turn();
  }
  expect(countOf(filter, 1)).toBe(0);
});

it('takes any key for one of those it has missed, as long as there may be one', () => {
  const filter = new KeyFilter();
  for (let turns = 0; turns <= 3; turns++) {
    expect(filter.mayHave(1, 'k')).toBe(true);
    filter.turn();
  }
  expect(filter.mayHave(1, 'k')).toBe(false);
  filter.add(1, 'k');
  expect(filter.mayHave(1, 'k')).toBe(true);
  filter.miss();
  expect([filter.mayHave(1, 'k'), filter.mayHave(1, 'other')]).toEqual([true, true]);
});
