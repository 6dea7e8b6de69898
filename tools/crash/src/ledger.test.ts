import { background as ctx } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { selector, streamOf, streams } from './load.ts';

let conn: Conn;
let ledger: Ledger;
let clock = 0;
beforeEach(async () => {
  conn = await connect('memory:');
  ledger = new Ledger();
});
afterEach(() => conn.close());

async function publish(n: number, stream = streamOf(n)): Promise<EventId> {
  return await conn.publish(ctx, stream, { type: 'crash.Published', data: Data.json({ name: 'p', n }) });
}

const promised = (n: number, id: EventId) => ledger.acknowledged('p', { n, id });
const handled = (n: number, id: EventId, at = clock++) => ledger.handled({ id, name: 'p', n, at });

const settle = () => ledger.settle(conn.read(ctx, selector));

it('is content where each event is as promised, and was handled', async () => {
  for (const n of [0, 1, streams]) {
    const id = await publish(n);
    promised(n, id);
    handled(n, id);
    handled(n, id);
  }
  await settle();
  expect([ledger.nextOf('p'), ledger.published, ledger.repeated]).toEqual([2, 3, 3]);
});

it('finds what was acknowledged and is lost', async () => {
  promised(0, 'A' as EventId);
  await expect(settle()).rejects.toThrow('p.0 was acknowledged, and is lost');
});

it('finds what was not handled', async () => {
  await publish(0);
  await expect(settle()).rejects.toThrow(/p\.0, .* was not handled/);
});

it.each([
  ['stored twice', [0, 0], /p\.0 is stored twice/],
  ['out of order', [streams, 0], /p\.0 is out of order/],
])('finds what is %s', async (_, numbers, message) => {
  for (const n of numbers) handled(n, await publish(n));
  await expect(settle()).rejects.toThrow(message);
});

it('finds what has another id than was promised', async () => {
  handled(0, await publish(0));
  promised(0, 'A' as EventId);
  await expect(settle()).rejects.toThrow(/was promised as A/);
  expect(() => promised(0, 'B' as EventId)).toThrow('p.0 was stored as A, then again as B');
});

it('finds what was handled before what it comes after, in whichever order it is told', async () => {
  const [first, second] = [await publish(0), await publish(streams)];
  handled(0, first, 2);
  handled(streams, second, 1);
  await expect(settle()).rejects.toThrow('crash.0: p.16 was handled before p.0');
  handled(0, first, 0);
  handled(0, first, 3);
  await settle();
});

it('finds an id that was given out twice', () => {
  handled(0, 'A' as EventId);
  expect(() => handled(1, 'A' as EventId)).toThrow('A was p.0, and then p.1');
});

it('finds what was handled and is lost', async () => {
  handled(0, 'A' as EventId);
  await expect(settle()).rejects.toThrow('p.0 was handled as A, and is lost');
});
