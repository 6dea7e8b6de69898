import { expect, it } from 'vitest';
import { StoredEvent } from '../event.ts';
import { type Delivery, newDelivery, Unacked } from './unacked.ts';

function eventAt(seq: number): StoredEvent {
  return new StoredEvent(1, 's', [seq, 0, 8, 't', null, 0, 0, null, null, null, null, null]);
}

/** Acknowledges in `order`, and says after each how far everything is acknowledged. */
function acknowledge(order: readonly number[]): (number | null)[] {
  const unacked = new Unacked(0, null);
  const events = order.toSorted((a, b) => a - b).map(eventAt);
  const entries = new Map(events.map((event) => [event.seq, unacked.add(newDelivery(event, 0))]));
  return order.map((seq, i) => {
    const entry = entries.get(seq);
    if (entry !== undefined) unacked.acknowledge(entry);
    expect([...unacked].map(({ event }) => event.seq)).toEqual(order.slice(i + 1).toSorted((a, b) => a - b));
    expect([unacked.size, unacked.acked]).toEqual([order.length - i - 1, i + 1]);
    return events.find(({ id }) => id === unacked.lastResolved)?.seq ?? null;
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
  const entry = unacked.add(newDelivery(eventAt(9), 2));
  expect([unacked.acked, unacked.lastResolved, unacked.first]).toEqual([5, last, entry]);
  unacked.acknowledge(entry);
  expect([unacked.acked, unacked.lastResolved, unacked.first]).toEqual([6, entry.event.id, undefined]);
});

it('goes on from what was set aside or passed by, and does not count it', () => {
  const unacked = new Unacked(0, null);
  const [first, second] = [1, 2].map((seq) => unacked.add(newDelivery(eventAt(seq), 0))) as [Delivery, Delivery];
  const [third, fifth] = [eventAt(3), eventAt(5)];
  unacked.pass(third);
  unacked.setAside(second);
  expect([unacked.lastResolved, unacked.size]).toEqual([null, 1]);
  unacked.acknowledge(first);
  expect(unacked.lastResolved).toBe(third.id);
  unacked.pass(fifth);
  expect([unacked.lastResolved, unacked.size, unacked.acked]).toEqual([fifth.id, 0, 1]);
});
