import { expect, it } from 'vitest';
import { StoredEvent } from '../event.ts';
import { Unacked } from './unacked.ts';

function eventAt(seq: number): StoredEvent {
  return new StoredEvent(1, 's', [seq, 0, 8, 't', null, 0, 0, null, null, null, null, null]);
}

/** Acknowledges in `order`, and says after each how far everything is acknowledged. */
function acknowledge(order: readonly number[]): (number | null)[] {
  const unacked = new Unacked(0, null);
  const events = order.toSorted((a, b) => a - b).map(eventAt);
  const entries = new Map(events.map((event) => [event.seq, unacked.add(event, 0)]));
  return order.map((seq, i) => {
    const entry = entries.get(seq);
    if (entry !== undefined) unacked.acknowledge(entry);
    expect([...unacked].map(({ event }) => event.seq)).toEqual(order.slice(i + 1).toSorted((a, b) => a - b));
    expect([unacked.size, unacked.acked]).toEqual([order.length - i - 1, i + 1]);
    return events.find(({ id }) => id === unacked.lastAcked)?.seq ?? null;
  });
}

it.each([
  [
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ],
  [
    [4, 3, 2, 1],
    [null, null, null, 4],
  ],
  [
    [2, 3, 1, 4],
    [null, null, 3, 4],
  ],
  [
    [3, 1, 4, 2, 5],
    [null, 1, 1, 4, 5],
  ],
  [
    [2, 4, 3, 1, 5],
    [null, null, null, 4, 5],
  ],
])('acknowledged in the order %j, everything is so up to %j', (order, expected) => {
  expect(acknowledge(order)).toEqual(expected);
});

it('goes on from an earlier count', () => {
  const last = eventAt(7).id;
  const unacked = new Unacked(5, last);
  const entry = unacked.add(eventAt(9), 2);
  expect([unacked.acked, unacked.lastAcked, unacked.first]).toEqual([5, last, entry]);
  unacked.acknowledge(entry);
  expect([unacked.acked, unacked.lastAcked, unacked.first]).toEqual([6, entry.event.id, undefined]);
});
