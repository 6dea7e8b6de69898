import type { ParkedRow } from '@samovar/edacore';
import { expect, it } from 'vitest';
import { Kept, type SubscriptionRecord } from './kept.ts';
import type { Entry, Segment } from './segments.ts';

const offset = { high: 0, pending: [], acked: 0, last: null };
const front = { selector: '>', options: {}, offset, owner: '', epoch: 1, beat: 1, expires: 0, shares: [] };
const record = (...segments: Segment[]): SubscriptionRecord => ({ ...front, name: 'n', write: 'w', segments });
const row = (seq: number): ParkedRow => ({ seq, key: null, attempts: 1, error: '', since: 0, request: '' });
const parks = (...seqs: number[]): Entry[] => seqs.map((seq) => [seq, row(seq)] as const);
const seqsOf = (kept: Kept) => kept.parked.rows(0, 100).map(({ seq }) => seq);

it('has parked what the segments of the record say, one after another', () => {
  const kept = new Kept();
  kept.putSegment('a', { revision: 1, entries: parks(1, 2, 3) });
  kept.putSegment('b', { revision: 2, entries: [[2, null]] });
  expect(seqsOf(kept)).toEqual([]);
  kept.put(3, record(['a', 3], ['b', 1]));
  expect(seqsOf(kept)).toEqual([1, 3]);
  kept.putSegment('c', { revision: 4, entries: [[2, null], ...parks(4)] });
  kept.put(5, record(['a', 3], ['c', 2]));
  expect(seqsOf(kept)).toEqual([1, 3, 4]);
  kept.putSegment('d', { revision: 6, entries: parks(4) });
  kept.put(7, record(['d', 1]));
  expect(seqsOf(kept)).toEqual([4]);
  kept.put(8, undefined);
  expect([seqsOf(kept), kept.record, kept.revision]).toEqual([[], undefined, 8]);
});

it('does not go back to an older record, and forgets segments that no later one can list', () => {
  const kept = new Kept();
  kept.putSegment('a', { revision: 1, entries: parks(1) });
  kept.put(5, record());
  kept.put(4, record(['a', 1]));
  expect([kept.revision, kept.isBehind, seqsOf(kept)]).toEqual([5, false, []]);
  kept.putSegment('b', { revision: 3, entries: parks(2) });
  expect(kept.revisionOf(['a', 1])).toBeUndefined();
  expect(kept.revisionOf(['b', 1])).toBeUndefined();
});

it('shows a record whose segments are gone only if none is newer', () => {
  const kept = new Kept();
  kept.putSegment('a', { revision: 1, entries: parks(1) });
  kept.put(2, record(['a', 1]));
  kept.put(4, record(['a', 1], ['b', 1]));
  expect([kept.revision, kept.isBehind, kept.missing, seqsOf(kept)]).toEqual([2, true, ['b'], [1]]);
  kept.putSegment('c', { revision: 5, entries: parks(3) });
  kept.put(6, record(['c', 1]));
  expect([kept.revision, kept.isBehind, seqsOf(kept)]).toEqual([6, false, [3]]);
  kept.put(7, record(['gone', 1]));
  kept.show();
  expect([kept.revision, kept.isBehind, seqsOf(kept)]).toEqual([7, false, []]);
});
