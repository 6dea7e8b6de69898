import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Seq } from '../ids.ts';
import { MemoryParked } from './memoryparked.ts';
import { OrderedParking } from './orderedparking.ts';
import { Requests } from './requests.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('looks up now and then what is parked, however often it looks at what is requested', async () => {
  const store = new MemoryParked();
  const row = { key: null, attempts: 1, error: '', since: 0, request: '' } as const;
  store.apply({ parked: new Map([1, 2].map((seq) => [seq, { ...row, seq }])), waiting: new Map() });
  const asked: (readonly Seq[])[] = [];
  const at = async (seqs: readonly Seq[]) => {
    asked.push(seqs);
    return [];
  };
  const parking = new OrderedParking(store, [], { at, onMore: () => {}, onError: () => {} });
  let changes = 0;
  const requests = new Requests(parking, { at, isMine: () => true, onChanged: () => changes++, onError: () => {} });
  requests.look();
  requests.look();
  expect(asked).toEqual([[1, 2]]);
  await vi.advanceTimersByTimeAsync(0);
  expect([changes, parking.isEmpty]).toEqual([1, true]);
  parking.park({ seq: 3, attempts: 1, error: '' }, undefined, []);
  parking.begin();
  parking.stored();
  requests.keepLooking();
  await vi.advanceTimersByTimeAsync(400);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toEqual([[1, 2], [3]]);
  expect(parking.isEmpty).toBe(true);
  requests.stop();
});
