import { background, withCancel, withTimeout } from '@samovar/context';
import type { Conn, Event, EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import {
  collect,
  fill,
  idsOf,
  iterate,
  numbersOf,
  pour,
  range,
  read,
  refusal,
  refusalOf,
  scatter,
  take,
} from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function watchingCases(backend: Backend): void {
  following(backend);
  leaving(backend);
  closing(backend);
}

function following(backend: Backend): void {
  it('gives what is there and then what comes, from whichever connection', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    await fill(conn, 'cups.1', 3);
    const events = iterate(conn.read(background, 'cups.1', { watch: true }));
    expect(numbersOf(await take(events, 3))).toEqual([0, 1, 2]);
    for (const n of range(10, 3)) {
      const next = take(events, 1);
      await (n % 2 === 0 ? conn : other).publish(background, 'cups.1', pour(n));
      expect(numbersOf(await next)).toEqual([n]);
    }
    await events.return?.();
  });

  it('begins after the event given, and ends at the limit', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.1', 3);
    const events = collect(conn.read(background, 'cups.*', { watch: true, after: ids[1] as EventId, limit: 3 }));
    await conn.publish(background, 'cups.2', pour(3));
    await conn.publish(background, 'cups.1', pour(4));
    await conn.publish(background, 'cups.1', pour(5));
    expect(numbersOf(await events)).toEqual([2, 3, 4]);
  });

  it('waits for the first event of a stream, and is not disturbed by others', async () => {
    const conn = await connected(backend);
    const events = collect(conn.read(background, 'cups.1', { watch: true, limit: 2 }));
    await fill(conn, 'pots', 3, 10);
    await fill(conn, 'cups.1', 1);
    await fill(conn, 'cups.11', 1, 20);
    await fill(conn, 'cups.1', 1, 1);
    expect(numbersOf(await events)).toEqual([0, 1]);
  });

  it('gives every one of 20 watchers all of 2,000 events in log order while 50 publish', async () => {
    const conns = await (await TestLog.open(backend)).connects(5);
    const streams = range(10).map((n) => `cups.${n}`);
    const watchers = range(20).map(async (w) => {
      const selector = w % 2 === 0 ? 'cups.*' : `cups.${(w - 1) / 2}`;
      const limit = w % 2 === 0 ? 2000 : 200;
      return {
        selector,
        ids: idsOf(await collect((conns[w % 5] as Conn).read(background, selector, { watch: true, limit }))),
      };
    });
    for (const round of range(40)) await scatter(conns, streams, 50, round * 50);
    for (const { selector, ids } of await Promise.all(watchers)) {
      expect(ids).toEqual(idsOf(await read(conns[0] as Conn, selector)));
    }
  });
}

function leaving(backend: Backend): void {
  it('can be left in the middle, and the connection goes on', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 100);
    for (const watch of [true, false]) {
      const seen: Event[] = [];
      for await (const event of conn.read(background, '>', { watch })) if (seen.push(event) === 5) break;
      expect(numbersOf(seen)).toEqual(range(5));
    }
    await fill(conn, 'cups.1', 1, 100);
    expect(await read(conn, '>')).toHaveLength(101);
  });

  it('ends a waiting reader whose context is cancelled, and no other', async () => {
    const conn = await connected(backend);
    using scope = withCancel(background);
    await fill(conn, 'cups.1', 1);
    const [events, others] = [scope.ctx, background].map((ctx) => iterate(conn.read(ctx, 'cups.1', { watch: true })));
    await Promise.all([take(events as AsyncIterator<Event>, 1), take(others as AsyncIterator<Event>, 1)]);
    const [next, othersNext] = [events?.next(), others?.next()];
    scope.cancel('enough');
    expect(await refusalOf(() => next)).toEqual(refusal('context.canceled'));
    await fill(conn, 'cups.1', 1, 1);
    expect((await othersNext)?.done).toBe(false);
    await others?.return?.();
  });

  it('ends a waiting reader whose deadline passes', async () => {
    const conn = await connected(backend);
    using scope = withTimeout(background, 20);
    const events = collect(conn.read(scope.ctx, 'cups.1', { watch: true }));
    expect(await refusalOf(() => events)).toEqual(refusal('context.deadlineExceeded'));
  });

  it('ends a reader in the midst of what is there when its context is cancelled', async () => {
    const conn = await connected(backend);
    using scope = withCancel(background);
    await fill(conn, 'cups.1', 100);
    const events = iterate(conn.read(scope.ctx, 'cups.1'));
    await take(events, 3);
    scope.cancel();
    expect(await refusalOf(() => events.next())).toEqual(refusal('context.canceled'));
  });
}

function closing(backend: Backend): void {
  it('ends readers, waiting or not, when the connection is closed, and none of another one', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    await fill(conn, 'cups.1', 3);
    const [waiting, amid] = [
      iterate(conn.read(background, 'pots', { watch: true })),
      iterate(conn.read(background, '>')),
    ];
    const others = iterate(other.read(background, 'pots', { watch: true }));
    const [next, othersNext] = [waiting.next(), others.next()];
    await take(amid, 1);
    const ended = [refusalOf(() => next), conn.close().then(() => refusalOf(() => amid.next()))];
    expect(await Promise.all(ended)).toEqual([refusal('eda.closed'), refusal('eda.closed')]);
    await fill(other, 'pots', 1);
    expect((await othersNext).done).toBe(false);
    await others.return?.();
  });
}
