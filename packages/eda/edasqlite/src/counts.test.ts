import { parseSelector } from '@samovar/edacore';
import { expect, it } from 'vitest';
import { Counts } from './counts.ts';

/** So many streams, by name, of which every other one matches `cups.*`. */
function counts(streams: number, onRange: () => void = () => {}): Counts {
  const all = Array.from({ length: streams }, (_, i) => ({
    name: `cups.${String(i).padStart(6, '0')}${i % 2 === 0 ? '' : '.saucer'}`,
    events: 2,
  }));
  return new Counts((after, prefix, limit) => {
    onRange();
    return all.filter(({ name }) => name > after && name.startsWith(prefix)).slice(0, limit);
  });
}

it.each([0, 1, 1000, 4999])('counts the events of %i streams at once', (streams) => {
  expect(counts(streams).of(parseSelector('cups.*'))).toBe(Math.ceil(streams / 2) * 2);
});

it('counts those of many streams in turns with others, once for all who ask', async () => {
  let [turns, pages] = [0, 0];
  const many = counts(12_000, () => pages++);
  const asked = [many.of(parseSelector('cups.*')), many.of(parseSelector('cups.*'))];
  expect(pages).toBe(5);
  const others = setInterval(() => turns++);
  for (const count of asked) expect(await count).toBe(12_000);
  clearInterval(others);
  expect(pages).toBe(13);
  expect(turns).toBeGreaterThan(0);
  expect(await many.of(parseSelector('cups.*'))).toBe(12_000);
});
