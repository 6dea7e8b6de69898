import { background, withCancel, withTimeout } from '@samovar/context';
import type { Conn, Event, EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import {
  ascending,
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
import { connected, TestLog } from './testlog.ts';

export function endingCases(backend: Backend): void {
  refusing(backend);
  connections(backend);
  publications(backend);
  members(backend);
}

function refusing(backend: Backend): void {
  it('answers every method with ClosedError after the connection was closed', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const subscription = await conn.subscribe('cups.1', () => {});
    await Promise.all([conn.close(), conn.close()]);
    await conn.close();
    await conn[Symbol.asyncDispose]();
    const closed = refusal('eda.closed');
    const calls = everything(conn, backend).map(([, call]) => refusalOf(() => call(background)));
    for (const refused of await Promise.all(calls)) expect(refused).toEqual(closed);
    expect(await refusalOf(() => conn.subscribe('cups.1', () => {}))).toEqual(closed);
    expect(await refusalOf(() => subscription.caughtUp(background))).toEqual(closed);
    await subscription.close();
    await fill(other, 'cups.1', 1);
    expect(await read(other, '>')).toHaveLength(1);
  });

  it('refuses to do anything for a context that is done, and does nothing', async () => {
    const conn = await connected(backend);
    using scope = withCancel(background);
    using late = withTimeout(background, 0);
    scope.cancel();
    await eventually(() => expect(late.ctx.signal.aborted).toBe(true));
    for (const [, call] of everything(conn, backend)) {
      expect(await refusalOf(() => call(scope.ctx))).toEqual(refusal('context.canceled'));
      expect(await refusalOf(() => call(late.ctx))).toEqual(refusal('context.deadlineExceeded'));
    }
    expect(await read(conn, '>')).toEqual([]);
  });
}

function connections(backend: Backend): void {
  it('closes the subscriptions of a connection with it, and those of no other', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const [mine, others] = [new Seen(), new Seen()];
    const first = await conn.subscribe('cups.1', mine.handle, { name: 'guests', durable: true });
    const second = await other.subscribe('cups.1', others.handle, { name: 'guests', durable: true });
    await conn.close();
    await fill(other, 'cups.1', 50);
    await second.caughtUp(background);
    expect([first.status().state, second.status().state]).toEqual(['closed', 'running']);
    expect([mine.numbers, others.numbers]).toEqual([[], range(50)]);
  });

  it('lets handlers finish before a connection is closed, with what they still publish', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const [started, release] = [gate(), gate()];
    await conn.subscribe('cups.1', async (ctx) => {
      started.open();
      await release.opened;
      await conn.publish(ctx, 'pots', pour(1));
    });
    await fill(conn, 'cups.1', 1);
    await started.opened;
    const closing = conn.close();
    release.open();
    await closing;
    expect(await read(other, 'pots')).toHaveLength(1);
  });
}

function publications(backend: Backend): void {
  it('stores or gives up each publication that is under way when its context is cancelled', async () => {
    const conn = await connected(backend);
    using scope = withCancel(background);
    const publications = range(100).map((n) => conn.publish(scope.ctx, `cups.${n}`, pour(n)));
    scope.cancel();
    const results = await Promise.allSettled(publications);
    const found = new Set(idsOf(await read(conn, '>')));
    for (const result of results) {
      if (result.status === 'fulfilled') expect(found.has(result.value)).toBe(true);
      else expect(result.reason).toEqual(refusal('context.canceled'));
    }
    await conn.publish(background, 'cups.0', pour(0));
  });

  it('stores or refuses each publication that is under way when its connection is closed', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const publications = range(200).map((n) => conn.publish(background, `cups.${n}`, pour(n)));
    const [results] = await Promise.all([Promise.allSettled(publications), conn.close()]);
    const stored = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(idsOf(await read(other, '>'))).toEqual(stored.toSorted());
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toEqual(refusal('eda.closed'));
  });
}

function members(backend: Backend): void {
  it.each([
    ['the rest goes to the other ten', 10],
    ['the rest goes to who comes next', 0],
  ])('strands nothing when ten members close at once: %s', async (_, staying) => {
    const log = await TestLog.open(backend);
    const conns = await log.connects(5);
    const keeper = conns[0] as Conn;
    const ids = await fill(keeper, 'cups.1', 2000);
    const [amid, release] = [gate(), gate()];
    const seen: EventId[] = [];
    const handle = async (_: unknown, event: Event) => {
      seen.push(event.id);
      if (numberOf(event) === 700) amid.open();
      if (numberOf(event) >= 700) await release.opened;
      await new Promise(setImmediate);
    };
    const options = { name: 'guests', durable: true, backfill: true };
    const join = (n: number) => (conns[n % 5] as Conn).subscribe('cups.1', handle, options);
    const members = await Promise.all(range(10 + staying).map(join));
    await amid.opened;
    const closing = Promise.all(members.slice(0, 10).map((member) => member.close()));
    release.open();
    await closing;
    const last = members[10] ?? (await join(0));
    await last.caughtUp(background);
    expect(seen).toHaveLength(2000);
    expect(seen.toSorted()).toEqual(ids);
  });

  const reason = backend.lacks?.handover;
  const shown = reason === undefined ? '' : ` (skipped: ${reason})`;
  it.skipIf(reason !== undefined)(`repeats nothing when members come and go all the time${shown}`, async () => {
    expect(await comingAndGoing(backend)).toEqual(range(1000));
  });

  it('loses nothing when members come and go all the time', async () => {
    expect([...new Set(await comingAndGoing(backend))]).toEqual(range(1000));
  });
}

/** The numbers of 1,000 events, ascending, as often as they were handled. */
async function comingAndGoing(backend: Backend): Promise<number[]> {
  const conns = await (await TestLog.open(backend)).connects(3);
  const seen = new Seen();
  const options = { name: 'guests', durable: true, backfill: true, concurrency: 8 };
  const handle = async (_: unknown, event: Event) => {
    await new Promise(setImmediate);
    seen.handle(_, event);
  };
  for (const round of range(20)) {
    const joining = range(3).map((n) => (conns[n] as Conn).subscribe('cups.1', handle, options));
    await fill(conns[0] as Conn, 'cups.1', 50, round * 50);
    for (const member of await Promise.all(joining)) await member.close();
  }
  const last = await (conns[0] as Conn).subscribe('cups.1', handle, options);
  await last.caughtUp(background);
  return ascending(seen.numbers);
}

type Call = (ctx: typeof background) => unknown;

/** A call of every method of a connection that takes a context. */
function everything(conn: Conn, backend: Backend): readonly (readonly [string, Call])[] {
  return [
    ['publish', (ctx) => conn.publish(ctx, 'cups.1', pour(1))],
    ['publishAll', (ctx) => conn.publishAll(ctx, 'cups.1', [pour(1)])],
    ['read', (ctx) => collect(conn.read(ctx, 'cups.1'))],
    ['watch', (ctx) => collect(conn.read(ctx, 'cups.1', { watch: true }))],
    ['head', (ctx) => conn.head(ctx, 'cups.1')],
    ['streams', (ctx) => collect(conn.streams(ctx))],
    ['subscriptions', (ctx) => collect(conn.subscriptions(ctx))],
    ...(backend.lacks?.parking === undefined ? everythingParked(conn) : []),
  ];
}

function everythingParked(conn: Conn): readonly (readonly [string, Call])[] {
  const parked = conn.parked('guest');
  return [
    ['list', (ctx) => collect(parked.list(ctx))],
    ['count', (ctx) => parked.count(ctx)],
    ['oldest', (ctx) => parked.oldest(ctx)],
    ['replay', (ctx) => parked.replay(ctx, 'all')],
    ['skip', (ctx) => parked.skip(ctx, 'any' as EventId)],
  ];
}
