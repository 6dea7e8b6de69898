import { background } from '@samovar/context';
import type { Conn, Event, EventId, ParkedEvent, SubscriptionOptions } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, eventually, fill, gate, idsOf, numberOf, pour, range, refusal, refusalOf, Seen } from './moves.ts';
import { connected } from './testlog.ts';

export function parkingCases(backend: Backend): void {
  givingUp(backend);
  telling(backend);
  waitingBehind(backend);
  standingStill(backend);
  catchingUp(backend);
  passing(backend);
  leaving(backend);
}

const guest = { name: 'guest', durable: true, backfill: true } as const;
const keyed = { ...guest, keyBy: 'stream', maxDeliver: 1 } as const;

function parkedOf(conn: Conn, name = 'guest'): Promise<ParkedEvent[]> {
  return collect(conn.parked(name).list(background));
}

/** A handler that notes the event, and fails with those numbers. */
function spilling(seen: Seen, ...numbers: readonly number[]) {
  return (_: unknown, event: Event): void => {
    seen.handle(_, event);
    if (numbers.includes(numberOf(event))) throw new Error('spilt');
  };
}

function givingUp(backend: Backend): void {
  it('parks an event after maxDeliver attempts, and hands over the others', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    const began = Date.now();
    const ids = await fill(conn, 'cups.1', 5);
    const subscription = await conn.subscribe('cups.1', spilling(seen, 2), { ...guest, maxDeliver: 3 });
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 1, lag: 1, lastAcked: ids[1] }));
    expect(subscription.status()).toMatchObject({ state: 'running', inFlight: 0, redelivered: 2 });
    expect(seen.numbers.filter((n) => n === 2)).toHaveLength(3);
    const [parked, ...more] = (await parkedOf(conn)) as [ParkedEvent];
    expect([parked.event.id, parked.key, parked.attempts, parked.waiting, more]).toEqual([ids[2], '', 3, [], []]);
    expect(numberOf(parked.event)).toBe(2);
    expect(parked.since.getTime()).toBeGreaterThanOrEqual(began);
    expect(await conn.parked('guest').count(background)).toBe(1);
    expect(await conn.parked('guest').oldest(background)).toEqual(parked.since);
    await fill(conn, 'cups.1', 1, 5);
    await seen.reaches(8);
    expect(seen.numbers.at(-1)).toBe(5);
  });

  it('says of each subscription what it has parked, and nothing of others', async () => {
    const conn = await connected(backend);
    await conn.subscribe('cups.1', spilling(new Seen(), 0), { ...guest, maxDeliver: 1 });
    const others = await conn.subscribe('cups.1', () => {}, { ...guest, name: 'other' });
    await fill(conn, 'cups.1', 2);
    await eventually(async () => expect(await parkedOf(conn)).toHaveLength(1));
    await others.caughtUp(background);
    for (const name of ['other', 'nobody', '']) {
      const parked = conn.parked(name);
      expect([await parkedOf(conn, name), await parked.count(background), await parked.oldest(background)]).toEqual([
        [],
        0,
        null,
      ]);
    }
  });
}

function telling(backend: Backend): void {
  it.each<[string, unknown, RegExp]>([
    ['an error', new Error('the cup\nis full'), /^the cup is full$/],
    ['a long one', new Error('x'.repeat(2000)), /^x{500}$/],
    ['one that says nothing', new TypeError(), /^TypeError$/],
    ['no error at all', 'too hot', /^too hot$/],
  ])('says what an event failed with, on one line: %s', async (_, error, text) => {
    const conn = await connected(backend);
    const fail = () => Promise.reject(error);
    const subscription = await conn.subscribe('cups.1', fail, { ...guest, maxDeliver: 1 });
    await fill(conn, 'cups.1', 1);
    await eventually(() => expect(subscription.status().parked).toBe(1));
    expect((await parkedOf(conn)).map((parked) => parked.error)).toEqual([expect.stringMatching(text)]);
  });
}

function waitingBehind(backend: Backend): void {
  it('has later events of the key wait behind a parked one, in order, while other keys go on', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    const ids = await fill(conn, 'cups.ann', 3);
    const subscription = await conn.subscribe('cups.*', spilling(seen, 0), keyed);
    await eventually(() => expect(subscription.status().parked).toBe(1));
    ids.push(...(await fill(conn, 'cups.ann', 3, 3)));
    const others = await fill(conn, 'cups.bob', 50, 100);
    await seen.reaches(51);
    expect(seen.numbers).toEqual([0, ...range(50, 100)]);
    await eventually(async () => expect((await parkedOf(conn))[0]?.waiting).toEqual(ids.slice(1)));
    const [parked, ...more] = await parkedOf(conn);
    expect([parked?.key, parked?.event.id, more]).toEqual(['cups.ann', ids[0], []]);
    expect(subscription.status()).toMatchObject({ state: 'running', parked: 1, lag: 6, lastAcked: null });
    expect(await refusalOf(() => subscription.caughtUp(background, others[49]))).toEqual(refusal('eda.parked'));
  });

  it('does not starve other keys when 2,500 events wait behind a parked one, and replays them in order', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    let isBroken = true;
    const handle = (_: unknown, event: Event) => {
      if (event.stream === 'cups.hot' && isBroken) throw new Error('spilt');
      seen.handle(_, event);
    };
    const subscription = await conn.subscribe('cups.*', handle, keyed);
    for (const at of [0, 500, 1000, 1500, 2000]) {
      await fill(conn, 'cups.hot', 500, at);
      await fill(conn, 'cups.bob', 10, at / 50);
    }
    await seen.reaches(50);
    expect([seen.numbers, subscription.status().lag]).toEqual([range(50), 2500]);
    await eventually(async () => expect((await parkedOf(conn))[0]?.waiting).toHaveLength(2499));
    isBroken = false;
    await conn.parked('guest').replay(background, 'all', { limit: 2500 });
    await subscription.caughtUp(background);
    expect(seen.events.filter(({ stream }) => stream === 'cups.hot').map(numberOf)).toEqual(range(2500));
    expect(subscription.status()).toMatchObject({ parked: 0, lag: 0 });
    expect(await parkedOf(conn)).toEqual([]);
  });
}

function standingStill(backend: Backend): void {
  it.each(['skip', 'replay'] as const)('stands still behind a parked event when serial, until %s', async (how) => {
    const conn = await connected(backend);
    const seen = new Seen();
    let isBroken = true;
    const handle = (_: unknown, event: Event) => {
      seen.handle(_, event);
      if (numberOf(event) === 1 && isBroken) throw new Error('spilt');
    };
    const ids = await fill(conn, 'cups.1', 4);
    const subscription = await conn.subscribe('cups.1', handle, { ...guest, serial: true, maxDeliver: 2 });
    await eventually(() => expect(subscription.status().state).toBe('blocked'));
    await fill(conn, 'cups.1', 1, 4);
    const [parked] = await parkedOf(conn);
    expect([parked?.event.id, parked?.key, parked?.waiting]).toEqual([ids[1], '', []]);
    expect(subscription.status()).toMatchObject({ state: 'blocked', parked: 1, lag: 4, lastAcked: ids[0] });
    expect(seen.numbers).toEqual([0, 1, 1]);
    isBroken = false;
    if (how === 'skip') await conn.parked('guest').skip(background, ids[1] as EventId);
    else await conn.parked('guest').replay(background, ids[1] as EventId);
    await subscription.caughtUp(background);
    expect(seen.numbers).toEqual(how === 'skip' ? [0, 1, 1, 2, 3, 4] : [0, 1, 1, 1, 2, 3, 4]);
    expect(subscription.status()).toMatchObject({ state: 'running', parked: 0, lag: 0 });
  });
}

function catchingUp(backend: Backend): void {
  it('tells who waits to catch up that an event is parked, before or meanwhile, unless it is behind', async () => {
    const conn = await connected(backend);
    const [failed, release] = [gate(), gate()];
    const handle = async (_: unknown, event: Event) => {
      if (numberOf(event) !== 2) return;
      failed.open();
      await release.opened;
      throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.1', handle, { ...guest, maxDeliver: 1 });
    const ids = await fill(conn, 'cups.1', 5);
    await failed.opened;
    const waiting = [ids[2], ids[4], undefined].map((id) => refusalOf(() => subscription.caughtUp(background, id)));
    release.open();
    for (const refused of await Promise.all(waiting)) {
      expect(refused).toEqual(refusal('eda.parked'));
      expect(refused.details).toEqual({ subscription: 'guest', id: ids[2] });
    }
    // Whoever is told finds it parked.
    expect((await parkedOf(conn)).map(({ event }) => event.id)).toEqual([ids[2]]);
    await subscription.caughtUp(background, ids[1]);
    expect(await refusalOf(() => subscription.caughtUp(background, ids[3]))).toEqual(refusal('eda.parked'));
  });
}

function passing(backend: Backend): void {
  it('parks events of a subscription that is not durable until it is closed', async () => {
    const conn = await connected(backend);
    const [before, after] = [new Seen(), new Seen()];
    const options: SubscriptionOptions = { name: 'passing', backfill: true, keyBy: 'stream', maxDeliver: 1 };
    await fill(conn, 'cups.1', 3);
    const first = await conn.subscribe('cups.*', spilling(before, 0), options);
    await eventually(() => expect(first.status()).toMatchObject({ state: 'running', parked: 1, lag: 3 }));
    const last = await conn.publish(background, 'cups.2', pour(7));
    await before.reaches(2);
    expect(await refusalOf(() => first.caughtUp(background, last))).toEqual(refusal('eda.parked'));
    expect([await parkedOf(conn, 'passing'), before.numbers]).toEqual([[], [0, 7]]);
    await first.close();
    const second = await conn.subscribe('cups.*', after.handle, options);
    await second.caughtUp(background);
    expect(after.events).toHaveLength(4);
  });
}

function leaving(backend: Backend): void {
  it('keeps what is parked and what waits over closing, and forgets it on reset and on unsubscribe', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.ann', 3);
    const first = await conn.subscribe('cups.*', spilling(new Seen(), 0), keyed);
    await eventually(() => expect(first.status().parked).toBe(1));
    await first.close();
    expect(first.status()).toMatchObject({ state: 'closed', parked: 1 });
    ids.push(...(await fill(conn, 'cups.ann', 2, 3)));
    const seen = new Seen();
    const second = await conn.subscribe('cups.*', spilling(seen, 0), keyed);
    await conn.publish(background, 'cups.bob', pour(7));
    await seen.reaches(1);
    expect([seen.numbers, second.status().parked]).toEqual([[7], 1]);
    await eventually(async () => expect((await parkedOf(conn))[0]?.waiting).toEqual(ids.slice(1)));
    const third = await conn.subscribe('cups.*', spilling(seen, 0), { ...keyed, reset: true });
    await eventually(() => expect(seen.numbers).toEqual([7, 0, 7]));
    await eventually(async () => expect(idsOf((await parkedOf(conn)).map(({ event }) => event))).toEqual([ids[0]]));
    await third.unsubscribe();
    expect(await parkedOf(conn)).toEqual([]);
  });

  it('lets go of a parked event whose stream is erased, and of what waits behind it', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    const subscription = await conn.subscribe('cups.*', spilling(seen, 0), keyed);
    const [id] = (await fill(conn, 'cups.ann', 3)) as [EventId];
    await eventually(() => expect(subscription.status().parked).toBe(1));
    await conn.erase(background, 'cups.ann');
    expect([await parkedOf(conn), await conn.parked('guest').count(background)]).toEqual([[], 0]);
    expect(await refusalOf(() => conn.parked('guest').skip(background, id))).toEqual(refusal('eda.notParked'));
    await fill(conn, 'cups.ann', 2, 10);
    await seen.reaches(3);
    await subscription.caughtUp(background);
    expect([seen.numbers, subscription.status().parked]).toEqual([[0, 10, 11], 0]);
  });
}
