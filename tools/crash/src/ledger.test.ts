import { background as ctx } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { selector, streamOf } from './load.ts';

let conn: Conn;
let ledger: Ledger;
beforeEach(async () => {
  conn = await connect('memory:');
  ledger = new Ledger();
});
afterEach(() => conn.close());

async function publish(n: number, stream = streamOf(n)): Promise<EventId> {
  return await conn.publish(ctx, stream, { type: 'crash.Published', data: Data.json({ name: 'p', n }) });
}

const settle = () => ledger.settle(conn.read(ctx, selector));

it('is content where each event is as promised, and was handled', async () => {
  for (const n of [0, 1, 5]) {
    const id = await publish(n);
    ledger.acknowledged('p', n, id);
    ledger.handled(id, streamOf(n));
    ledger.handled(id, streamOf(n));
  }
  await settle();
  expect([ledger.nextOf('p'), ledger.published, ledger.repeated]).toEqual([2, 3, 3]);
});

it('finds what was acknowledged and is lost', async () => {
  ledger.acknowledged('p', 0, 'A' as EventId);
  await expect(settle()).rejects.toThrow('p.0 was acknowledged, and is lost');
});

it('finds what was not handled', async () => {
  await publish(0);
  await expect(settle()).rejects.toThrow(/p\.0, .* was not handled/);
});

it.each([
  ['stored twice', [0, 0], /p\.0 is stored twice/],
  ['out of order', [5, 0], /p\.0 is out of order/],
])('finds what is %s', async (_, numbers, message) => {
  for (const n of numbers) ledger.handled(await publish(n), streamOf(n));
  await expect(settle()).rejects.toThrow(message);
});

it('finds what has another id than was promised', async () => {
  ledger.handled(await publish(0), streamOf(0));
  ledger.acknowledged('p', 0, 'A' as EventId);
  await expect(settle()).rejects.toThrow(/was promised as A/);
  expect(() => ledger.acknowledged('p', 0, 'B' as EventId)).toThrow('p.0 was stored as A, then again as B');
});

it('finds what was handled after what it precedes', () => {
  ledger.handled('B' as EventId, 'crash.0');
  ledger.handled('A' as EventId, 'crash.1');
  ledger.handled('B' as EventId, 'crash.0');
  expect(() => ledger.handled('A1' as EventId, 'crash.0')).toThrow('crash.0: A1 was handled after B');
});
