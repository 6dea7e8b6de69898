import { background, type Context } from '@samovar/context';
import { type Conn, type Event, type EventId, replaying, type Subscription } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { ascending, eventually, fill, gate, numberOf, range, Seen } from './moves.ts';
import { connected } from './testlog.ts';

export function unorderedCases(backend: Backend): void {
  replays(backend);
  ends(backend);
  changes(backend);
}

const guest = { name: 'guest', durable: true, backfill: true, maxDeliver: 2 } as const;

/** A subscription without an order that fails with the numbers in `broken`. */
class Guest {
  readonly broken = new Set<number>();
  readonly handled: { readonly n: number; readonly again: boolean; readonly deliveries: number }[] = [];

  open(conn: Conn): Promise<Subscription> {
    return conn.subscribe('cups.*', (ctx, event) => this.#handle(ctx, event), guest);
  }

  of(n: number): unknown[] {
    return this.handled.filter((one) => one.n === n).map(({ again, deliveries }) => [again, deliveries]);
  }

  #handle(ctx: Context, event: Event): void {
    const n = numberOf(event);
    this.handled.push({ n, again: ctx.value(replaying), deliveries: event.deliveries });
    if (this.broken.has(n)) throw new Error('spilt');
  }
}

/** A subscription that has parked each tenth of 40 events. */
async function parked(conn: Conn): Promise<{ guest: Guest; subscription: Subscription; ids: EventId[] }> {
  const own = new Guest();
  for (const n of [0, 10, 20, 30]) own.broken.add(n);
  const ids = await fill(conn, 'cups.1', 40);
  const subscription = await own.open(conn);
  await eventually(() => expect(subscription.status()).toMatchObject({ parked: 4, lag: 4 }));
  return { guest: own, subscription, ids };
}

function replays(backend: Backend): void {
  it('replays one, and all, saying so, and counts on; what fails again is parked again', async () => {
    const conn = await connected(backend);
    const { guest, subscription, ids } = await parked(conn);
    guest.broken.delete(10);
    await conn.parked('guest').replay(background, ids[10] as EventId);
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 3, lag: 3 }));
    expect(guest.of(10)).toEqual([[false, 1], [false, 2], [true, 3]]); // biome-ignore format: by attempt
    guest.broken.delete(20);
    guest.broken.delete(30);
    await conn.parked('guest').replay(background, 'all');
    await eventually(() => expect(guest.of(0)).toHaveLength(4));
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 1, lag: 1, lastAcked: null }));
    expect(guest.of(0)).toEqual([[false, 1], [false, 2], [true, 3], [true, 4]]); // biome-ignore format: by attempt
    expect(guest.of(30)).toHaveLength(3);
    guest.broken.clear();
    await conn.parked('guest').replay(background, 'all');
    await subscription.caughtUp(background);
    expect([guest.of(0).at(-1), guest.handled.length]).toEqual([[true, 5], 40 + 4 + 1 + 4 + 1]);
    expect(subscription.status()).toMatchObject({ parked: 0, lag: 0, lastAcked: ids.at(-1) });
  });

  it('gives up what is skipped', async () => {
    const conn = await connected(backend);
    const { guest, subscription, ids } = await parked(conn);
    for (const n of [0, 20]) await conn.parked('guest').skip(background, ids[n] as EventId);
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 2, lag: 2, lastAcked: ids[9] }));
    expect([guest.of(0).length, guest.of(20).length]).toEqual([2, 2]);
  });
}

function ends(backend: Backend): void {
  it('goes on with what is replayed and failing when it is closed amid that, and says again that it replays', async () => {
    const conn = await connected(backend);
    const { guest, subscription, ids } = await parked(conn);
    await conn.parked('guest').replay(background, ids[10] as EventId);
    await eventually(() => expect(guest.of(10)).toHaveLength(3));
    await subscription.close();
    guest.broken.clear();
    const again = await guest.open(conn);
    await eventually(() => expect(again.status()).toMatchObject({ parked: 3, lag: 3 }));
    expect(guest.of(10).at(-1)).toEqual([true, 4]);
    expect(await conn.parked('guest').count(background)).toBe(3);
  });

  it('lets go of a parked event whose stream is erased', async () => {
    const conn = await connected(backend);
    const { subscription } = await parked(conn);
    await conn.erase(background, 'cups.1');
    await subscription.caughtUp(background);
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 0, lag: 0 }));
  });
}

function changes(backend: Backend): void {
  it('hands out what waited for a parked event when the subscription had an order, and parks on', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 5);
    const fails = (_: unknown, event: Event) => {
      if (numberOf(event) === 1) throw new Error('spilt');
    };
    const first = await conn.subscribe('cups.*', fails, { ...guest, keyBy: 'stream' });
    await eventually(() => expect(first.status()).toMatchObject({ parked: 1, lag: 4 }));
    await first.close();
    const own = new Guest();
    const second = await own.open(conn);
    await eventually(() => expect(second.status()).toMatchObject({ parked: 1, lag: 1 }));
    expect(ascending(own.handled.map(({ n }) => n))).toEqual([2, 3, 4]);
    await conn.parked('guest').replay(background, 'all');
    await second.caughtUp(background);
    expect(own.of(1)).toEqual([[true, 3]]);
  });

  it('keeps what was handed out and not acknowledged when it gets an order', async () => {
    const conn = await connected(backend);
    const release = gate();
    const started: number[] = [];
    await fill(conn, 'cups.1', 20);
    const first = await conn.subscribe(
      'cups.*',
      async (_, event) => {
        started.push(numberOf(event));
        await release.opened;
        if (numberOf(event) % 2 === 0) throw new Error('spilt');
      },
      guest,
    );
    await eventually(() => expect(started).toHaveLength(20));
    release.open();
    await first.close();
    const seen = new Seen();
    const second = await conn.subscribe('cups.*', seen.handle, { ...guest, keyBy: 'stream' });
    await second.caughtUp(background);
    expect(seen.numbers).toEqual(range(10).map((n) => n * 2));
  });
}
