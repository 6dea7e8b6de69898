import { Data, type EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import { decodeEvent, encodeEvent } from './codec.ts';

it.each([
  Data.nil,
  Data.json({ a: '\u0000ä' }),
  Data.string('\u{1F375}'),
  Data.bytes(Uint8Array.of(0, 255)),
  Data.decode('proto', Uint8Array.of(8, 1)),
])('gives back what it was given: %#', (data) => {
  const event = {
    type: 't',
    time: new Date(-5),
    data,
    schema: '2',
    aggregate: 'a',
    cause: 'c' as EventId,
    meta: { outbox: 'x' },
  };
  const stored = encodeEvent(event);
  const { data: decoded, ...rest } = decodeEvent(stored);
  expect({ ...rest, data }).toEqual(event);
  expect([decoded?.type, decoded && Buffer.from(decoded.encode())]).toEqual([data.type, Buffer.from(data.encode())]);
  // PostgreSQL refuses a text with one.
  expect(stored).not.toContain('\u0000');
});

it('leaves out what an event leaves out', () => {
  const event = { type: 't', time: new Date(5), data: Data.nil, schema: '', aggregate: '', meta: {} };
  expect(decodeEvent(encodeEvent(event))).toEqual({ type: 't', time: new Date(5), data: Data.nil, meta: {} });
});
