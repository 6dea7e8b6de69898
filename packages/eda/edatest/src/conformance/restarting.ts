import { background } from '@samovar/context';
import { Data, type Event, type EventId } from '@samovar/eda';
import { describe, expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import {
  collect,
  eventually,
  fill,
  gate,
  idsOf,
  numberOf,
  pour,
  range,
  read,
  refusal,
  refusalOf,
  Seen,
} from './moves.ts';
import { TestLog } from './testlog.ts';

export function restartingCases(backend: Backend): void {
  const reason = backend.lacks?.restart;
  if (reason === undefined) describe('after a restart', () => cases(backend));
  else describe.skip(`after a restart (skipped: ${reason})`, () => cases(backend));
}

function cases(backend: Backend): void {
  stored(backend);
  subscriptions(backend);
  failures(backend);
  if (backend.lacks?.parking === undefined && backend.lacks?.keys === undefined) parked(backend);
}

function stored(backend: Backend): void {
  it('has every event as it was', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect('kitchen');
    const cause = await before.publish(background, 'pots.1', { type: 'tea.Ordered' });
    const payloads = [
      Data.json({ a: 'é' }),
      Data.string(''),
      Data.bytes(Uint8Array.of(0, 255)),
      Data.bytes(new Uint8Array(0)),
    ];
    const events = payloads.map((data) => ({
      type: 'tea.Poured',
      data,
      cause,
      schema: '2',
      aggregate: 'pot',
      meta: { a: 'b' },
    }));
    await before.publishAll(background, 'cups.1', events);
    const written = (await read(before, '>')).map(facts);
    const streams = await collect(before.streams(background));
    const after = await log.reopen();
    expect((await read(after, '>')).map(facts)).toEqual(written);
    expect(await collect(after.streams(background))).toEqual(streams);
    expect(await after.head(background, 'pots.1')).toBe(cause);
    expect(await read(after, '>', { after: cause })).toHaveLength(4);
  });

  it('goes on with greater ids, and knows heads and keys', async () => {
    const log = await TestLog.open(backend);
    let conn = await log.connect();
    const ids: EventId[] = [];
    for (const round of range(4)) {
      const options = { key: `k${round}`, expectedHead: ids.at(-1) ?? null };
      const batch = range(3, round * 3).map(pour);
      ids.push(...(await conn.publishAll(background, 'cups.1', batch, options)));
      conn = await log.reopen();
      expect(await conn.publishAll(background, 'cups.1', batch, options)).toEqual(ids.slice(-3));
      const stale = { expectedHead: ids.at(-2) as EventId };
      expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(9), stale))).toEqual(
        refusal('eda.headConflict'),
      );
    }
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(idsOf(await read(conn, '>'))).toEqual(ids);
  });
}

function subscriptions(backend: Backend): void {
  it('resumes a durable subscription at one third and at one half of 3,000 events, losing and repeating none', async () => {
    const log = await TestLog.open(backend);
    let conn = await log.connect();
    const ids = await fill(conn, 'cups.1', 2000);
    const seen: EventId[] = [];
    for (const stop of [1000, 1500]) {
      const [amid, release] = [gate(), gate()];
      const handle = async (_: unknown, { id }: Event) => {
        if (seen.push(id) >= stop) amid.open();
        if (seen.length >= stop) await release.opened;
      };
      await conn.subscribe('cups.1', handle, { name: 'guest', durable: true, backfill: true });
      await amid.opened;
      const reopening = log.reopen();
      release.open();
      conn = await reopening;
    }
    ids.push(...(await fill(conn, 'cups.1', 1000, 2000)));
    const rest = (_: unknown, { id }: Event) => void seen.push(id);
    const last = await conn.subscribe('cups.1', rest, { name: 'guest', durable: true, backfill: true });
    await last.caughtUp(background);
    expect(seen).toHaveLength(3000);
    expect(seen.toSorted()).toEqual(ids);
  });
}

function failures(backend: Backend): void {
  it('gives again exactly the event of a durable subscription that was failing', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    const [acked, again] = [new Seen(), new Seen()];
    const options = { durable: true };
    const failing = (_: unknown, event: Event) => {
      if (numberOf(event) === 4) throw new Error('spilt');
      acked.handle(_, event);
    };
    await before.subscribe('cups.1', failing, options);
    await fill(before, 'cups.1', 10);
    await acked.reaches(9);
    const after = await log.reopen();
    const subscription = await after.subscribe('cups.1', again.handle, options);
    await subscription.caughtUp(background);
    expect(again.numbers).toEqual([4]);
    expect(again.events[0]?.deliveries).toBeGreaterThan(1);
  });

  it('keeps durable subscriptions, with their options', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    const ids = await fill(before, 'cups.1', 5);
    const chosen = { backfill: true, serial: false, concurrency: 7, timeout: 1234 };
    const keyed = backend.lacks?.keys === undefined ? ({ keyBy: 'stream', maxDeliver: 3 } as const) : {};
    const options = { ...chosen, keyBy: null, maxDeliver: 10, ...keyed };
    const asked = { name: 'guest', durable: true, ...chosen, ...keyed };
    const first = await before.subscribe('cups.1', () => {}, asked);
    await first.caughtUp(background);
    const after = await log.reopen();
    const kept = await collect(after.subscriptions(background));
    expect(kept).toEqual([{ name: 'guest', selector: 'cups.1', options, lastAcked: ids[4] }]);
  });

  it('remembers that a durable subscription was unsubscribed', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    await fill(before, 'cups.1', 5);
    const options = { durable: true, backfill: true };
    const first = await before.subscribe('cups.1', () => {}, options);
    await first.caughtUp(background);
    await first.unsubscribe();
    const seen = new Seen();
    const second = await (await log.reopen()).subscribe('cups.1', seen.handle, options);
    await second.caughtUp(background);
    expect(seen.numbers.length).toBe(5);
  });
}

function parked(backend: Backend): void {
  it('has what was parked and what waits, and what was requested is done', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    const options = { name: 'guest', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 1 } as const;
    const spill = (_: unknown, event: Event) => {
      if (numberOf(event) % 10 === 0) throw new Error('spilt');
    };
    const first = await before.subscribe('cups.*', spill, options);
    const ids: EventId[][] = [];
    for (const n of range(4)) ids.push(await fill(before, `cups.${n}`, 3, n * 10));
    await eventually(() => expect(first.status()).toMatchObject({ parked: 4, lag: 12 }));
    await eventually(async () => {
      const listed = await collect(before.parked('guest').list(background));
      expect(listed.map(({ waiting }) => waiting)).toEqual(ids.map((ofOne) => ofOne.slice(1)));
    });
    await first.close();
    await before.parked('guest').replay(background, ids[1]?.[0] as EventId);
    const after = await log.reopen();
    const rest = await collect(after.parked('guest').list(background));
    const facts = rest.map(({ event, key, attempts, waiting }) => [event.id, key, attempts, waiting]);
    const left = [0, 2, 3].map((n) => [ids[n]?.[0], `cups.${n}`, 1, ids[n]?.slice(1)]);
    expect(facts).toEqual(left);
    await after.parked('guest').skip(background, ids[2]?.[0] as EventId);
    const again = new Seen();
    const second = await after.subscribe('cups.*', again.handle, options);
    await again.reaches(5);
    expect(again.numbers.toSorted((a, b) => a - b)).toEqual([10, 11, 12, 21, 22]);
    expect(second.status()).toMatchObject({ parked: 2, lag: 6, lastAcked: null });
    await after.parked('guest').replay(background, 'all');
    await second.caughtUp(background);
    expect(again.numbers.slice(5).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 30, 31, 32]);
  });
}

function facts(event: Event): object {
  const { stream, id, type, time, ackTime, schema, client, aggregate, cause, meta, data } = event;
  const payload = [data.type, [...data.encode()]];
  return { stream, id, type, time, ackTime, schema, client, aggregate, cause, meta, payload };
}
