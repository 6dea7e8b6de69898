import { expect, it } from 'vitest';
import type { Backend } from '../backend.ts';
import { parseSelector } from '../selector.ts';
import type { Offset, ParkedRow, Share } from '../stored.ts';
import { Changes } from './changes.ts';
import { MemoryParked } from './memoryparked.ts';
import { Standing } from './standing.ts';

const row: ParkedRow = { seq: 7, key: 'k', attempts: 1, error: '', since: 0, request: '' };

/** How far a subscription has come whose stored offset and parked events these are. */
function lowOf(
  offset: Partial<Offset>,
  fill: (changes: Changes) => void,
  shares: readonly Partial<Share>[] = [],
): number {
  const [parked, changes] = [new MemoryParked(), new Changes()];
  fill(changes);
  parked.apply(changes);
  const peek = () => ({ offset: { high: 20, pending: [], acked: 0, last: null, ...offset }, shares });
  const subscriptions = { parked: () => parked, peek };
  return new Standing({ subscriptions } as unknown as Backend, { name: 'n', selector: parseSelector('s') }).low;
}

it.each<[string, Partial<Offset>, (changes: Changes) => void, number]>([
  ['its offset', {}, () => {}, 20],
  ['what was handed out', { pending: [[9, 1]] }, () => {}, 8],
  ['what is parked', { pending: [[9, 1]] }, ({ parked }) => parked.set(7, row), 6],
  ['what is to be replayed', {}, ({ parked }) => parked.set(7, { ...row, request: 'replay' }), 6],
  ['what waits behind something that is through', {}, ({ waiting }) => waiting.set(8, { key: 'k', waits: true }), 7],
])('a standby sees that everything is acknowledged up to %s', (_, offset, fill, low) => {
  expect(lowOf(offset, fill)).toBe(low);
});

it('a standby sees that everything is acknowledged up to what any process was handed', () => {
  const shares = [{ pending: [[7, 1]] }, { pending: [] }, { pending: [[5, 1]] }] as const;
  expect(lowOf({ pending: [[9, 1]] }, () => {}, shares)).toBe(4);
});
