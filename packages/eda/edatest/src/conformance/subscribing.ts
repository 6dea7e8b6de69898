import { background } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type Subscription } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { ascending, eventually, fill, gate, idsOf, pour, range, read, Seen } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function subscribingCases(backend: Backend): void {
  starting(backend);
  offsets(backend);
  resuming(backend);
  closing(backend);
  dropping(backend);
  resetting(backend);
}

function starting(backend: Backend): void {
  it('hands over what was published before, with backfill: ids, payload and metadata as they are read', async () => {
    const conn = await (await TestLog.open(backend)).connect('kitchen');
    const meta = { guest: 'ann' };
    await conn.publish(background, 'cups.1', {
      type: 'tea.Poured',
      data: Data.string('čaj'),
      meta,
      schema: '2',
      aggregate: 'pot',
    });
    await conn.publish(background, 'cups.1', { type: 'tea.Spilt', time: new Date('1969-07-20') });
    const seen = new Seen();
    await conn.subscribe('cups.1', seen.handle, { backfill: true });
    await seen.reaches(2);
    const stored = await read(conn, 'cups.1');
    expect(seen.events.map(facts)).toEqual(stored.map(facts));
    expect(seen.events.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
  });

  it('begins, without backfill, with what is published once subscribe has resolved', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    await fill(conn, 'cups.1', 10);
    const seen = new Seen();
    await conn.subscribe('cups.1', seen.handle);
    await fill(other, 'cups.1', 5, 10);
    await seen.reaches(5);
    expect(seen.numbers).toEqual(range(5, 10));
  });

  it('is called like its selector, or as it is told', async () => {
    const conn = await connected(backend);
    expect((await conn.subscribe('cups.>', () => {})).name).toBe('cups.>');
    const name = 'Léa’s cups: * > / \\ .. $1'.padEnd(255, '*');
    const seen = new Seen();
    expect((await conn.subscribe('cups.>', seen.handle, { name, durable: true })).name).toBe(name);
    await fill(conn, 'cups.1', 1);
    await seen.reaches(1);
  });

  it('gives each of two names everything', async () => {
    const conn = await connected(backend);
    const all = [new Seen(), new Seen()];
    for (const [n, seen] of all.entries())
      await conn.subscribe('cups.*', seen.handle, { name: `guest ${n}`, backfill: true });
    const ids = await fill(conn, 'cups.1', 300);
    for (const seen of all) {
      await seen.reaches(300);
      expect(idsOf(seen.events)).toEqual(ids);
    }
  });
}

function offsets(backend: Backend): void {
  it('loses and repeats none of 5,000 events when a durable subscription is closed and opened five times', async () => {
    const log = await TestLog.open(backend);
    const keeper = await log.connect();
    const ids = await fill(keeper, 'cups.1', 3000);
    const seen: EventId[] = [];
    for (const round of range(5)) {
      const conn = await log.connect();
      const [threshold, release] = [gate(), gate()];
      const handle = async (_: unknown, { id }: Event) => {
        if (seen.push(id) >= (round + 1) * 900) threshold.open();
        if (seen.length >= (round + 1) * 900) await release.opened;
      };
      const subscription = await conn.subscribe('cups.1', handle, { name: 'guest', durable: true, backfill: true });
      await threshold.opened;
      const closing = round % 2 === 0 ? conn.close() : subscription.close();
      release.open();
      await closing;
      expect(seen.length).toBeLessThan((round + 1) * 900 + 64);
      ids.push(...(await fill(keeper, 'cups.1', 400, 3000 + round * 400)));
    }
    const rest = async (_: unknown, { id }: Event) => void seen.push(id);
    const last = await keeper.subscribe('cups.1', rest, { name: 'guest', durable: true, backfill: true });
    await last.caughtUp(background);
    await last.close();
    expect(seen).toHaveLength(5000);
    expect(seen.toSorted()).toEqual(ids);
  });
}

function resuming(backend: Backend): void {
  it('resumes a durable subscription at what was published while it was closed, backfill or not', async () => {
    const conn = await connected(backend);
    for (const backfill of [true, false]) {
      const options = { name: `guest ${backfill}`, durable: true, backfill };
      const [before, after] = [new Seen(), new Seen()];
      const first = await conn.subscribe(`cups.${backfill}`, before.handle, options);
      await fill(conn, `cups.${backfill}`, 3);
      await before.reaches(3);
      await first.close();
      await fill(conn, `cups.${backfill}`, 3, 3);
      await conn.subscribe(`cups.${backfill}`, after.handle, options);
      await after.reaches(3);
      expect([before.numbers, after.numbers]).toEqual([range(3), range(3, 3)]);
    }
  });

  it('starts a subscription that is not durable anew each time', async () => {
    const conn = await connected(backend);
    for (const backfill of [true, false]) {
      const stream = `cups.${backfill}`;
      const [before, after] = [new Seen(), new Seen()];
      const first = await conn.subscribe(stream, before.handle, { backfill });
      await fill(conn, stream, 3);
      await before.reaches(3);
      await first.close();
      await fill(conn, stream, 3, 3);
      await conn.subscribe(stream, after.handle, { backfill });
      await fill(conn, stream, 3, 6);
      await after.reaches(backfill ? 9 : 3);
      expect(after.numbers).toEqual(backfill ? range(9) : range(3, 6));
    }
  });

  it('keeps the offsets of two durable names apart', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 10);
    const subscribe = (name: string, seen: Seen) =>
      conn.subscribe('cups.1', seen.handle, { name, durable: true, backfill: true });
    const [ann, bob] = [new Seen(), new Seen()];
    const first = await subscribe('ann', ann);
    await first.caughtUp(background);
    await first.close();
    await subscribe('bob', bob);
    const again = await subscribe('ann', ann);
    await fill(conn, 'cups.1', 1, 10);
    await again.caughtUp(background);
    await bob.reaches(11);
    expect([ann.numbers, bob.numbers]).toEqual([range(11), range(11)]);
  });
}

function closing(backend: Backend): void {
  it('may be closed twice, at once or later, and is closed by disposal', async () => {
    const conn = await connected(backend);
    const open = () => conn.subscribe('cups.1', () => {}, { durable: true });
    const twice = await open();
    await Promise.all([twice.close(), twice.close()]);
    await twice.close();
    await twice[Symbol.asyncDispose]();
    let disposed: Subscription;
    {
      await using subscription = await open();
      expect(subscription.status().state).toBe('running');
      disposed = subscription;
    }
    expect([twice.status().state, disposed.status().state]).toEqual(['closed', 'closed']);
  });
}

function dropping(backend: Backend): void {
  it('forgets the offset on unsubscribe, and stops every member', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const options = { name: 'guest', durable: true, backfill: true };
    const [before, after, news] = [new Seen(), new Seen(), new Seen()];
    const first = await conn.subscribe('cups.1', before.handle, options);
    const second = await other.subscribe('cups.1', before.handle, options);
    await fill(conn, 'cups.1', 10);
    await before.reaches(10);
    await first.unsubscribe();
    expect([first.status().state, second.status().state]).toEqual(['closed', 'closed']);
    const third = await conn.subscribe('cups.1', after.handle, options);
    await after.reaches(10);
    await third.unsubscribe();
    await conn.subscribe('cups.1', news.handle, { ...options, backfill: false });
    await fill(conn, 'cups.1', 1, 10);
    await news.reaches(1);
    expect([before.numbers, after.numbers, news.numbers]).toEqual([range(10), range(10), [10]]);
  });

  it('may be unsubscribed after it was closed, and closed after that', async () => {
    const conn = await connected(backend);
    const options = { durable: true, backfill: true };
    const [before, after] = [new Seen(), new Seen()];
    await fill(conn, 'cups.1', 3);
    const first = await conn.subscribe('cups.1', before.handle, options);
    await before.reaches(3);
    await first.close();
    await first.unsubscribe();
    await first.close();
    await conn.subscribe('cups.1', after.handle, options);
    await after.reaches(3);
  });
}

function resetting(backend: Backend): void {
  it('drops the offset on reset, and begins like a new subscription', async () => {
    const conn = await connected(backend);
    const options = { name: 'guest', durable: true };
    const [before, all, news] = [new Seen(), new Seen(), new Seen()];
    await fill(conn, 'cups.1', 10);
    const first = await conn.subscribe('cups.1', before.handle, { ...options, backfill: true });
    await before.reaches(10);
    await first.close();
    const second = await conn.subscribe('cups.1', all.handle, { ...options, backfill: true, reset: true });
    await all.reaches(10);
    await second.close();
    await fill(conn, 'cups.1', 5, 10);
    await conn.subscribe('cups.1', news.handle, { ...options, reset: true });
    await fill(conn, 'cups.1', 1, 15);
    await news.reaches(1);
    expect([all.numbers, news.numbers]).toEqual([range(10), [15]]);
  });

  it('resets the offset for the members that are there, too', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const options = { name: 'guest', durable: true, backfill: true };
    const seen = new Seen();
    const first = await conn.subscribe('cups.1', seen.handle, options);
    await fill(conn, 'cups.1', 100);
    await first.caughtUp(background);
    const second = await other.subscribe('cups.1', seen.handle, { ...options, reset: true });
    await second.caughtUp(background);
    expect(seen.numbers.slice(0, 100)).toEqual(range(100));
    expect(seen.numbers.slice(100)).toEqual(range(100));
    await second.close();
    await conn.publish(background, 'cups.1', pour(100));
    await first.caughtUp(background);
    expect(ascending(seen.numbers)).toEqual(ascending([...range(100), ...range(100), 100]));
  });

  it('begins again on reset once the handlers in flight have settled', async () => {
    const conn = await connected(backend);
    const release = gate();
    const running = new Set<Event>();
    const overlaps: number[] = [];
    const handle = async (_: unknown, event: Event) => {
      running.add(event);
      overlaps.push(running.size);
      await release.opened;
      running.delete(event);
    };
    const options = { name: 'guest', durable: true, backfill: true, serial: true };
    await fill(conn, 'cups.1', 1);
    const first = await conn.subscribe('cups.1', handle, options);
    await eventually(() => expect(running.size).toBe(1));
    const resetting = conn.subscribe('cups.1', handle, { ...options, reset: true });
    release.open();
    await resetting;
    await first.caughtUp(background);
    expect(overlaps).toEqual([1, 1]);
  });
}

/** All of an event that is the same whether it is read or delivered. */
function facts(event: Event): object {
  const { stream, id, type, time, ackTime, schema, client, aggregate, cause, meta, data } = event;
  return { stream, id, type, time, ackTime, schema, client, aggregate, cause, meta, data: [data.type, data.text()] };
}
