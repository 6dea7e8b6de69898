import { background, withCancel } from '@samovar/context';
import type { Event, EventId } from '@samovar/eda';
import { describe, expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import {
  collect,
  eventually,
  fill,
  gate,
  idsOf,
  iterate,
  numberOf,
  numbersOf,
  pour,
  range,
  read,
  refusal,
  refusalOf,
  Seen,
  scatter,
  take,
} from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function erasingCases(backend: Backend): void {
  forgetting(backend);
  beginningAnew(backend);
  keys(backend);
  readers(backend);
  subscriptions(backend);
  many(backend);
  const reason = backend.lacks?.restart;
  if (reason === undefined) restart(backend);
  else describe.skip(`after a restart (skipped: ${reason})`, () => restart(backend));
}

function forgetting(backend: Backend): void {
  it('leaves nothing of a stream, and everything of the others', async () => {
    const conn = await connected(backend);
    const streams = ['cups.1', 'cups.2', 'cups.10', 'cups.1.saucer', 'cups'];
    const ids = await scatter([conn], streams, 50);
    await conn.erase(background, 'cups.1');
    const kept = ids.filter((_, n) => n % streams.length !== 0).toSorted();
    expect(await conn.head(background, 'cups.1')).toBeNull();
    for (const options of [{}, { backwards: true }]) {
      expect(await read(conn, 'cups.1', options)).toEqual([]);
      expect(idsOf(await read(conn, '>', options)).toSorted()).toEqual(kept);
      expect(await read(conn, 'cups.*', options)).toHaveLength(20);
    }
    const infos = await collect(conn.streams(background));
    expect(infos.map(({ stream, events }) => [stream, events])).toEqual([
      ['cups', 10],
      ['cups.1.saucer', 10],
      ['cups.10', 10],
      ['cups.2', 10],
    ]);
  });

  it('does nothing to a stream without events, also when asked again', async () => {
    const conn = await connected(backend);
    await conn.erase(background, 'cups.1');
    await fill(conn, 'cups.1', 3);
    await conn.erase(background, 'cups.1');
    await conn.erase(background, 'cups.1');
    expect(await read(conn, '>')).toEqual([]);
    expect(await collect(conn.streams(background))).toEqual([]);
  });

  it.each(['', 'cups.*', '>', 'cups 1', '!', `x'; DROP TABLE events; --`])('refuses to erase %j', async (name) => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 1);
    expect(await refusalOf(() => conn.erase(background, name))).toEqual(refusal('eda.invalidStream'));
    expect(await read(conn, '>')).toHaveLength(1);
  });

  it('erases nothing when its context is done, or the connection closed', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = [await log.connect(), await log.connect()];
    await fill(conn, 'cups.1', 2);
    const { ctx, cancel } = withCancel(background);
    cancel();
    expect(await refusalOf(() => conn.erase(ctx, 'cups.1'))).toEqual(refusal('context.canceled'));
    await other.close();
    expect(await refusalOf(() => other.erase(background, 'cups.1'))).toEqual(refusal('eda.closed'));
    expect(await read(conn, 'cups.1')).toHaveLength(2);
  });
}

function beginningAnew(backend: Backend): void {
  it('lets a stream begin anew, with greater ids, as often as wanted', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = [await log.connect(), await log.connect()];
    const given: EventId[] = [];
    for (const round of range(4)) {
      given.push(...(await conn.publishAll(background, 'cups.1', [pour(round), pour(round)], { expectedHead: null })));
      expect(numbersOf(await read(other, 'cups.1'))).toEqual([round, round]);
      expect(await other.head(background, 'cups.1')).toBe(given.at(-1));
      await other.erase(background, 'cups.1');
      const stale = { expectedHead: given.at(-1) as EventId };
      expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(9), stale))).toEqual(
        refusal('eda.headConflict'),
      );
    }
    expect(given).toEqual([...new Set(given)].toSorted());
  });
}

function keys(backend: Backend): void {
  it('refuses a key that was used for what is erased, and no other', async () => {
    const conn = await connected(backend);
    const again = (stream: string, key: string) => conn.publish(background, stream, pour(2), { key });
    const other = await conn.publish(background, 'cups.2', pour(1), { key: 'k' });
    await conn.publishAll(background, 'cups.1', [pour(1), pour(1)], { key: 'k' });
    await conn.erase(background, 'cups.1');
    const refused = refusal('eda.duplicateErased');
    expect(await refusalOf(() => again('cups.1', 'k'))).toEqual(refused);
    expect(await conn.head(background, 'cups.1')).toBeNull();
    const late = { key: 'k', expectedHead: other };
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(2), late))).toEqual(refused);
    const id = await again('cups.1', 'l');
    expect(await again('cups.1', 'l')).toBe(id);
    expect(await refusalOf(() => again('cups.1', 'k'))).toEqual(refused);
    expect(await again('cups.2', 'k')).toBe(other);
    await conn.erase(background, 'cups.1');
    for (const key of ['k', 'l']) expect(await refusalOf(() => again('cups.1', key))).toEqual(refused);
    expect(idsOf(await read(conn, '>'))).toEqual([other]);
  });
}

function readers(backend: Backend): void {
  it('makes readers that have begun pass over what was there', async () => {
    const conn = await connected(backend);
    await scatter([conn], ['cups.1', 'cups.2'], 2000);
    const selectors = ['cups.1', 'cups.*', '>'];
    const begun = await Promise.all(
      selectors.map(async (selector) => {
        const events = iterate(conn.read(background, selector));
        await take(events, 5);
        return events;
      }),
    );
    await conn.erase(background, 'cups.1');
    for (const events of begun) {
      const rest: Event[] = [];
      for (let next = await events.next(); !next.done; next = await events.next()) rest.push(next.value);
      expect(rest.filter(({ stream }) => stream === 'cups.1')).toEqual([]);
      if (events !== begun[0]) expect(rest.length).toBeGreaterThan(990);
    }
  });

  it('leaves ids of what was there as places to read from', async () => {
    const conn = await connected(backend);
    const [, before] = await fill(conn, 'cups.1', 3);
    await fill(conn, 'cups.2', 1, 7);
    await conn.erase(background, 'cups.1');
    await fill(conn, 'cups.1', 1, 8);
    expect(numbersOf(await read(conn, '>', { after: before as EventId }))).toEqual([7, 8]);
    expect(await read(conn, '>', { after: before as EventId, backwards: true })).toEqual([]);
  });

  it('goes on giving those who watch what is new', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 3);
    const [one, all] = ['cups.1', '>'].map((selector) => iterate(conn.read(background, selector, { watch: true })));
    for (const events of [one, all]) expect(await take(events as AsyncIterator<Event>, 3)).toHaveLength(3);
    await conn.erase(background, 'cups.1');
    await fill(conn, 'cups.1', 2, 10);
    for (const events of [one, all]) {
      expect(numbersOf(await take(events as AsyncIterator<Event>, 2))).toEqual([10, 11]);
    }
  });
}

function subscriptions(backend: Backend): void {
  it('makes subscriptions pass over what they have not handled', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 100);
    await fill(conn, 'cups.2', 3, 100);
    const [begun, release] = [gate(), gate()];
    const seen = new Seen();
    const handle = async (_: unknown, event: Event) => {
      seen.handle(_, event);
      begun.open();
      await release.opened;
    };
    const subscription = await conn.subscribe('cups.*', handle, { backfill: true, serial: true });
    await begun.opened;
    await conn.erase(background, 'cups.1');
    await fill(conn, 'cups.1', 2, 200);
    release.open();
    await subscription.caughtUp(background);
    expect(seen.numbers).toEqual([0, 100, 101, 102, 200, 201]);
  });

  it('makes subscriptions pass over events that were failing', async () => {
    const conn = await connected(backend);
    const failed: number[] = [];
    const handle = (_: unknown, event: Event) => {
      if (event.stream !== 'cups.1') return;
      failed.push(numberOf(event));
      throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.*', handle);
    const ids = await fill(conn, 'cups.1', 3);
    await fill(conn, 'cups.2', 3);
    await eventually(() => expect(failed.length).toBeGreaterThanOrEqual(3));
    await conn.erase(background, 'cups.1');
    const before = failed.length;
    await subscription.caughtUp(background);
    await subscription.caughtUp(background, ids[2]);
    expect(failed.length).toBe(before);
  });

  it('makes durable subscriptions that are opened again pass over them', async () => {
    const log = await TestLog.open(backend);
    const first = await log.connect();
    const options = { name: 'guest', durable: true, backfill: true };
    const failing = (_: unknown, event: Event) => {
      if (event.stream === 'cups.1') throw new Error('spilt');
    };
    const before = await first.subscribe('cups.*', failing, options);
    await fill(first, 'cups.1', 5);
    const [last] = await fill(first, 'cups.2', 1, 5);
    await eventually(() => expect(before.status().redelivered).toBeGreaterThan(0));
    await before.close();
    await first.erase(background, 'cups.1');
    await fill(first, 'cups.1', 1, 7);
    const seen = new Seen();
    const after = await first.subscribe('cups.*', seen.handle, options);
    await after.caughtUp(background, last);
    await after.caughtUp(background);
    expect(seen.numbers).toEqual([7]);
  });
}

function many(backend: Backend): void {
  it('erases a stream of 20,000 events while others publish to it and elsewhere', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 20_000);
    let erased = false;
    const erasing = conn.erase(background, 'cups.1').then(() => {
      erased = true;
    });
    const ids: EventId[] = [];
    for (let n = 0; !erased || n < 20; n++) {
      ids.push(await conn.publish(background, 'cups.2', pour(n)));
      await conn.publish(background, 'cups.1', pour(20_000 + n));
    }
    await erasing;
    expect(idsOf(await read(conn, 'cups.2'))).toEqual(ids);
    const left = numbersOf(await read(conn, 'cups.1'));
    // What was published meanwhile is there from some point on, or all gone.
    expect(left).toEqual(range(left.length, 20_000 + ids.length - left.length));
    expect(await read(conn, '>')).toHaveLength(ids.length + left.length);
  });

  it('erases streams at once, and one by several', async () => {
    const log = await TestLog.open(backend);
    const conns = await log.connects(4);
    const names = range(20).map((n) => `cups.${n}`);
    await scatter(conns, [...names, 'pots.1'], 2100);
    await Promise.all(names.flatMap((name) => conns.map((conn) => conn.erase(background, name))));
    const infos = await collect((conns[0] as (typeof conns)[0]).streams(background));
    expect(infos.map(({ stream, events }) => [stream, events])).toEqual([['pots.1', 100]]);
  });
}

function restart(backend: Backend): void {
  it('is remembered after a restart, with the keys', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    const ids = await before.publishAll(background, 'cups.1', range(50).map(pour), { key: 'k' });
    await fill(before, 'cups.2', 2);
    await before.erase(background, 'cups.1');
    const after = await log.reopen();
    expect(await after.head(background, 'cups.1')).toBeNull();
    expect(await read(after, '>')).toHaveLength(2);
    expect(await refusalOf(() => after.publish(background, 'cups.1', pour(1), { key: 'k' }))).toEqual(
      refusal('eda.duplicateErased'),
    );
    const id = await after.publish(background, 'cups.1', pour(1), { expectedHead: null });
    expect(id > (ids.at(-1) as EventId)).toBe(true);
  });

  it('of the last event leaves the ids that follow greater', async () => {
    const log = await TestLog.open(backend);
    const before = await log.connect();
    const [first] = await fill(before, 'cups.1', 1);
    await before.erase(background, 'cups.1');
    const after = await log.reopen();
    const subscription = await after.subscribe('cups.1', () => {}, { backfill: true });
    await subscription.caughtUp(background, first);
    const [second] = await fill(after, 'cups.1', 1);
    expect((second as EventId) > (first as EventId)).toBe(true);
  });
}
