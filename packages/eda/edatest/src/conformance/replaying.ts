import { background, type Context } from '@samovar/context';
import { type Conn, type Event, type EventId, type ParkedEvent, replaying, type Subscription } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, eventually, fill, invalid, numberOf, pour, range, refusal, refusalOf } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function replayingCases(backend: Backend): void {
  choosing(backend);
  limiting(backend);
  failingAgain(backend);
  skipping(backend);
  later(backend);
}

type Key = 'stream' | 'aggregate';

const guest = { name: 'guest', durable: true, backfill: true, maxDeliver: 2 } as const;

/** A subscription that fails with the numbers in `broken`, and what it was handed over. */
class Guest {
  readonly broken = new Set<number>();
  readonly conn: Conn;
  subscription!: Subscription;
  readonly #keyBy: Key;
  handled: { readonly n: number; readonly again: boolean; readonly event: Event }[] = [];

  private constructor(keyBy: Key, conn: Conn, broken: readonly number[]) {
    this.#keyBy = keyBy;
    this.conn = conn;
    this.broken = new Set(broken);
  }

  /** Has parked the events `broken`. */
  static parked(conn: Conn, ...broken: readonly number[]): Promise<Guest> {
    return Guest.parkedBy('stream', conn, ...broken);
  }

  /** Has parked the events `broken`, with that for a key. */
  static async parkedBy(keyBy: Key, conn: Conn, ...broken: readonly number[]): Promise<Guest> {
    const guest = new Guest(keyBy, conn, broken);
    await guest.open();
    await eventually(() => expect(guest.subscription.status().parked).toBe(broken.length));
    guest.handled = [];
    return guest;
  }

  async open(): Promise<void> {
    this.subscription = await this.conn.subscribe('cups.*', (ctx, event) => this.#handle(ctx, event), {
      ...guest,
      keyBy: this.#keyBy,
    });
  }

  get numbers(): number[] {
    return this.handled.map(({ n }) => n);
  }

  async list(): Promise<readonly ParkedEvent[]> {
    return collect(this.conn.parked('guest').list(background));
  }

  /** What is parked and what waits, when that much waits. */
  async stands(...expected: readonly [parked: number, waiting: number][]): Promise<void> {
    await eventually(async () => {
      const list = await this.list();
      expect(list.map(({ event, waiting }) => [numberOf(event), waiting.length])).toEqual(expected);
    });
  }

  #handle(ctx: Context, event: Event): void {
    const n = numberOf(event);
    this.handled.push({ n, again: ctx.value(replaying), event });
    if (this.broken.has(n)) throw new Error('spilt');
  }
}

/** Four events for each of ann (from 0), bob (from 10) and cyd (from 20). */
async function serve(conn: Conn): Promise<EventId[][]> {
  const ids: EventId[][] = [];
  for (const [n, name] of ['ann', 'bob', 'cyd'].entries()) ids.push(await fill(conn, `cups.${name}`, 4, n * 10));
  return ids;
}

function choosing(backend: Backend): void {
  it('replays one parked event, then what waits behind it in order; then its key goes on', async () => {
    const [conn, other] = (await (await TestLog.open(backend)).connects(2)) as [Conn, Conn];
    const [ann] = (await serve(conn)) as [EventId[]];
    const guest = await Guest.parked(conn, 0, 10);
    await guest.stands([0, 3], [10, 3]);
    guest.broken.clear();
    const report = await other.parked('guest').replay(background, ann[0] as EventId);
    expect(report.events).toBe(4);
    await eventually(() => expect(guest.numbers).toEqual(range(4)));
    expect(guest.handled.map(({ again }) => again)).toEqual([true, false, false, false]);
    expect(guest.handled[0]?.event.deliveries).toBe(3);
    await fill(conn, 'cups.ann', 2, 4);
    await eventually(() => expect(guest.numbers).toEqual(range(6)));
    await guest.stands([10, 3]);
    expect(guest.subscription.status()).toMatchObject({ parked: 1, lag: 4 });
  });

  it('replays some parked events, and all', async () => {
    const conn = await connected(backend);
    const [ann, , cyd] = (await serve(conn)) as [EventId[], EventId[], EventId[]];
    const guest = await Guest.parked(conn, 0, 10, 20);
    await guest.stands([0, 3], [10, 3], [20, 3]);
    guest.broken.clear();
    await conn.parked('guest').replay(background, [ann[0], cyd[0], ann[0]] as EventId[]);
    await eventually(() => expect(guest.numbers.toSorted((a, b) => a - b)).toEqual([...range(4), ...range(4, 20)]));
    await guest.stands([10, 3]);
    expect((await conn.parked('guest').replay(background, 'all')).events).toBe(4);
    await guest.subscription.caughtUp(background);
    expect(guest.numbers.slice(8)).toEqual(range(4, 10));
    expect(await conn.parked('guest').replay(background, 'all')).toEqual({ events: 0, from: null, to: null });
    expect(guest.subscription.status()).toMatchObject({ state: 'running', parked: 0, lag: 0 });
  });

  it('replays none if one that is named is not parked', async () => {
    const conn = await connected(backend);
    const [ann, bob] = (await serve(conn)) as [EventId[], EventId[]];
    const guest = await Guest.parked(conn, 0);
    const parked = conn.parked('guest');
    const refused = refusal('eda.notParked');
    for (const which of [ann[1], [ann[0], bob[0]], [bob[0], ann[0]]] as (EventId | EventId[])[]) {
      expect(await refusalOf(() => parked.replay(background, which))).toEqual(refused);
    }
    expect(await refusalOf(() => conn.parked('nobody').replay(background, ann[0] as EventId))).toEqual(refused);
    expect(await refusalOf(() => parked.replay(background, 'some' as EventId))).toEqual(invalid('which'));
    await guest.stands([0, 3]);
    expect(guest.subscription.status().parked).toBe(1);
  });
}

function limiting(backend: Backend): void {
  it('says on a dry run what a replay would deliver, and delivers nothing', async () => {
    const conn = await connected(backend);
    const times = ['2020-01-03', '1969-07-20', '2020-01-02'].map((day) => new Date(day));
    await conn.publishAll(
      background,
      'cups.ann',
      times.map((time, n) => ({ ...pour(n), time })),
    );
    const guest = await Guest.parked(conn, 0);
    await guest.stands([0, 2]);
    const report = await conn.parked('guest').replay(background, 'all', { dryRun: true, limit: 0 });
    expect(report).toEqual({ events: 3, from: times[1], to: times[0] });
    await guest.stands([0, 2]);
    expect([guest.numbers, guest.subscription.status().parked]).toEqual([[], 1]);
  });

  it('refuses to replay more than the limit, and replays nothing then', async () => {
    const conn = await connected(backend);
    const [[first]] = (await serve(conn)) as [[EventId]];
    const guest = await Guest.parked(conn, 0);
    await guest.stands([0, 3]);
    for (const which of ['all', first] as const) {
      const refused = await refusalOf(() => conn.parked('guest').replay(background, which, { limit: 3 }));
      expect(refused).toEqual(refusal('eda.replayTooLarge'));
      expect(refused.details).toEqual({ events: 4, limit: 3 });
    }
    for (const limit of [-1, 1.5, Number.NaN]) {
      const refused = await refusalOf(() => conn.parked('guest').replay(background, 'all', { limit }));
      expect(refused).toEqual(invalid('limit'));
    }
    expect(guest.numbers).toEqual([]);
    guest.broken.clear();
    await conn.parked('guest').replay(background, 'all', { limit: 4 });
    await guest.subscription.caughtUp(background);
    expect(guest.numbers).toEqual(range(4));
  });
}

function failingAgain(backend: Backend): void {
  it('parks an event again that fails again with all its attempts, and keeps the order', async () => {
    const conn = await connected(backend);
    const [[first]] = (await serve(conn)) as [[EventId]];
    const guest = await Guest.parked(conn, 0);
    await guest.stands([0, 3]);
    await conn.parked('guest').replay(background, first);
    await eventually(() => expect(guest.numbers).toEqual([0, 0]));
    await eventually(async () => expect((await guest.list())[0]?.attempts).toBe(4));
    await guest.stands([0, 3]);
    expect(guest.handled.map(({ again }) => again)).toEqual([true, true]);
    guest.broken.clear();
    await conn.parked('guest').replay(background, first);
    await guest.subscription.caughtUp(background);
    expect(guest.numbers).toEqual([0, 0, ...range(4)]);
  });

  it('parks what fails of those that waited, with the rest behind it', async () => {
    const conn = await connected(backend);
    await serve(conn);
    const guest = await Guest.parked(conn, 0);
    await guest.stands([0, 3]);
    guest.broken.clear();
    guest.broken.add(2);
    await conn.parked('guest').replay(background, 'all');
    await guest.stands([2, 1]);
    expect(guest.numbers).toEqual([0, 1, 2, 2]);
    const [last] = await fill(conn, 'cups.ann', 1, 4);
    await guest.stands([2, 2]);
    guest.broken.clear();
    await conn.parked('guest').replay(background, 'all');
    await guest.subscription.caughtUp(background);
    expect(guest.handled.slice(4).map(({ n, again }) => [n, again])).toEqual([
      [2, true],
      [3, false],
      [4, false],
    ]);
    expect(guest.subscription.status()).toMatchObject({ parked: 0, lag: 0, lastAcked: last });
    await guest.stands();
  });
}

function skipping(backend: Backend): void {
  it('gives an event up for good when it is skipped, and goes on with what waits behind it', async () => {
    const conn = await connected(backend);
    const [ann] = (await serve(conn)) as [EventId[]];
    const guest = await Guest.parked(conn, 0);
    const skip = (id: EventId | undefined) => conn.parked('guest').skip(background, id as EventId);
    expect(await refusalOf(() => skip(ann[1]))).toEqual(refusal('eda.notParked'));
    const results = await Promise.allSettled([skip(ann[0]), skip(ann[0])]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await conn.parked('guest').count(background)).toBe(0);
    expect(await refusalOf(() => skip(ann[0]))).toEqual(refusal('eda.notParked'));
    await guest.subscription.caughtUp(background);
    expect(guest.numbers.filter((n) => n < 10)).toEqual([1, 2, 3]);
    expect(guest.handled.filter(({ again }) => again)).toEqual([]);
    expect(guest.subscription.status()).toMatchObject({ parked: 0, lag: 0 });
  });
}

function later(backend: Backend): void {
  it('does what was requested while nobody was there as soon as somebody is', async () => {
    const conn = await connected(backend);
    const [ann, bob] = (await serve(conn)) as [EventId[], EventId[]];
    const guest = await Guest.parked(conn, 0, 10, 20);
    await guest.stands([0, 3], [10, 3], [20, 3]);
    await guest.subscription.close();
    guest.broken.clear();
    await conn.parked('guest').replay(background, ann[0] as EventId);
    await conn.parked('guest').skip(background, bob[0] as EventId);
    await guest.stands([20, 3]);
    await guest.open();
    await eventually(() => expect(guest.numbers.toSorted((a, b) => a - b)).toEqual([...range(4), ...range(3, 11)]));
    expect(guest.numbers.filter((n) => n < 10)).toEqual(range(4));
    expect(guest.subscription.status()).toMatchObject({ parked: 1, lag: 4 });
  });

  it.each<[string, Key]>([
    ['keys', 'stream'],
    ['one empty key', 'aggregate'],
  ])('goes on in order with what waits after it was closed amid a replay, with %s', async (_, keyBy) => {
    const conn = await connected(backend);
    const [first] = (await fill(conn, 'cups.ann', 4)) as [EventId];
    const guest = await Guest.parkedBy(keyBy, conn, 0);
    await guest.stands([0, 3]);
    guest.broken.clear();
    guest.broken.add(1);
    await conn.parked('guest').replay(background, first);
    await eventually(() => expect(guest.numbers).toEqual([0, 1]));
    await guest.subscription.close();
    guest.broken.clear();
    await guest.open();
    await fill(conn, 'cups.ann', 1, 4);
    await guest.subscription.caughtUp(background);
    expect(guest.numbers).toEqual([0, 1, 1, 2, 3, 4]);
    expect(guest.handled[2]?.event.deliveries).toBe(2);
  });
}
