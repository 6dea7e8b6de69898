import { MemoryParked, type ParkedChange, type ParkedRow, type Seq } from '@samovar/edacore';
import { describe, expect, it } from 'vitest';
import { changeOf, condensed, type Entry, entriesOf, parted, unmerged } from './segments.ts';

const row = (seq: Seq): ParkedRow => ({ seq, key: 'k', attempts: 1, error: 'spilt', since: 0, request: '' });
const waits = (seq: Seq, waits: boolean): Entry => [seq, 'k', waits];
const change = (...entries: Entry[]): ParkedChange => changeOf(entries);
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

describe('entries of segments', () => {
  it('say what a change says', () => {
    const entries: Entry[] = [[1, row(1)], [2, null], waits(3, true), waits(4, false)];
    expect(entriesOf(change(...entries))).toEqual(entries);
  });

  it('are the last word on each event when condensed, and only what is there if they are all', () => {
    const entries = [waits(1, true), [2, row(2)], waits(3, true), [2, null], waits(1, false)] as const;
    expect(condensed(entries, false)).toEqual([[2, null], waits(1, false), waits(3, true)]);
    expect(condensed(entries, true)).toEqual([waits(3, true)]);
  });

  it('are parted by bytes, of which none is lost', () => {
    const entries = Array.from({ length: 1000 }, (_, seq) => [seq, 'ключ', true] as const);
    const parts = parted(entries, 500);
    expect(parts.flat()).toEqual(entries);
    for (const part of parts) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(500);
    expect(parts.length).toBeLessThan(80);
    expect(parted([[1, 'x'.repeat(600), true]], 500)).toHaveLength(1);
    expect(parted([], 500)).toEqual([]);
  });
});

describe('merging segments', () => {
  it('keeps few of them, and writes few entries more than once', () => {
    let sizes: number[] = [];
    let written = 0;
    for (let n = 0; n < 10_000; n++) {
      const same = unmerged(sizes, 1);
      const merged = 1 + sum(sizes.slice(same));
      written += merged;
      sizes = [...sizes.slice(0, same), merged];
      expect(sizes.length).toBeLessThanOrEqual(14);
      expect(sum(sizes)).toBe(n + 1);
    }
    expect(written).toBeLessThan(10_000 * 14);
  });

  it('leaves what is larger than all behind it', () => {
    expect(unmerged([100, 20, 5], 1)).toBe(3);
    expect(unmerged([100, 20, 5], 5)).toBe(2);
    expect(unmerged([100, 20, 5], 16)).toBe(1);
    expect(unmerged([100, 20, 5], 80)).toBe(0);
  });
});

it('folds into what was parked', () => {
  const parked = new MemoryParked();
  parked.apply(change([1, row(1)], waits(2, true)));
  parked.apply(change(...condensed([[1, null], waits(2, false), [2, row(2)]], false)));
  expect([parked.rows(0, 10), parked.countWaiting()]).toEqual([[row(2)], 0]);
});
