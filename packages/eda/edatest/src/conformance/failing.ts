import type { Context } from '@samovar/context';
import { background, throwIfDone } from '@samovar/context';
import type { Conn, Event } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { ascending, eventually, fill, gate, numberOf, numbersOf, range, refusal, refusalOf, Seen } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function failingCases(backend: Backend): void {
  retrying(backend);
  isolating(backend);
  timingOut(backend);
  closing(backend);
  resuming(backend);
}

function retrying(backend: Backend): void {
  it('gives an event again whose handler throws or rejects, and loses none of 300', async () => {
    const conn = await connected(backend);
    const acked = new Seen();
    const subscription = await conn.subscribe('cups.1', (_, event) => {
      const n = numberOf(event);
      if (event.deliveries === 1 && n % 3 === 1) throw new Error('spilt');
      if (event.deliveries === 1 && n % 3 === 2) return Promise.reject(new Error('spilt'));
      return acked.handle(_, event);
    });
    const ids = await fill(conn, 'cups.1', 300);
    await subscription.caughtUp(background);
    expect(ascending(acked.numbers)).toEqual(range(300));
    expect(acked.events.every((event) => event.deliveries === (numberOf(event) % 3 === 0 ? 1 : 2))).toBe(true);
    expect(subscription.status()).toMatchObject({ lag: 0, inFlight: 0, redelivered: 200, lastAcked: ids[299] });
  });

  it('counts the deliveries of an event, for each subscription on its own', async () => {
    const conn = await connected(backend);
    const [mine, others] = [new Seen(), new Seen()];
    const subscription = await conn.subscribe(
      'cups.1',
      (_, event) => {
        mine.handle(_, event);
        if (event.deliveries < 4) throw new Error('spilt');
      },
      { name: 'mine' },
    );
    await conn.subscribe('cups.1', others.handle, { name: 'others' });
    await fill(conn, 'cups.1', 1);
    await subscription.caughtUp(background);
    await others.reaches(1);
    expect(mine.events.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3, 4]);
    expect(others.events.map(({ deliveries }) => deliveries)).toEqual([1]);
  });
}

function isolating(backend: Backend): void {
  it('lets a failing event hold up no later one', async () => {
    const conn = await connected(backend);
    const acked = new Seen();
    const subscription = await conn.subscribe('cups.1', (_, event) => {
      if (numberOf(event) === 0 && acked.events.length < 99) throw new Error('not yet');
      acked.handle(_, event);
    });
    await fill(conn, 'cups.1', 100);
    await subscription.caughtUp(background);
    expect(acked.numbers).toEqual([...range(99, 1), 0]);
  });

  it('starves nobody when one of four members fails always', async () => {
    const conns = await (await TestLog.open(backend)).connects(4);
    const acked = new Seen();
    let failures = 0;
    const fail = () => {
      failures++;
      throw new Error('spilt');
    };
    const handlers = [fail, acked.handle, acked.handle, acked.handle];
    const members = await Promise.all(
      handlers.map((handle, n) => (conns[n] as Conn).subscribe('cups.1', handle, { name: 'guests', durable: true })),
    );
    await fill(conns[0] as Conn, 'cups.1', 40);
    await members[1]?.caughtUp(background);
    expect(ascending(acked.numbers)).toEqual(range(40));
    expect(failures).toBeGreaterThan(0);
  });
}

function timingOut(backend: Backend): void {
  it('gives an event again whose handler exceeds its time, and cancels the context of that handler', async () => {
    const conn = await connected(backend);
    const seen: { readonly ctx: Context; readonly event: Event; readonly at: number }[] = [];
    const subscription = await conn.subscribe(
      'cups.1',
      async (ctx, event) => {
        seen.push({ ctx, event, at: Date.now() });
        if (event.deliveries === 1) await new Promise(() => {});
        expect(ctx.signal.aborted).toBe(false);
      },
      { timeout: 80 },
    );
    await fill(conn, 'cups.1', 2);
    await subscription.caughtUp(background);
    expect(ascending(numbersOf(seen.map(({ event }) => event)))).toEqual([0, 0, 1, 1]);
    for (const { ctx, event, at } of seen.slice(0, 2)) {
      const again = seen.find((other) => other.event.id === event.id && other.event.deliveries === 2);
      expect((again?.at ?? 0) - at).toBeGreaterThanOrEqual(75);
      expect(ctx.deadline).toBeInstanceOf(Date);
      expect(ctx.signal.aborted).toBe(true);
      expect(await refusalOf(() => throwIfDone(ctx))).toEqual(refusal('context.deadlineExceeded'));
    }
    expect(subscription.status().redelivered).toBe(2);
  });

  it('does not take the late success of a handler for an acknowledgement', async () => {
    const conn = await connected(backend);
    const [late, release, seen] = [gate(), gate(), new Seen()];
    const subscription = await conn.subscribe(
      'cups.1',
      async (_, event) => {
        seen.handle(_, event);
        if (event.deliveries === 1) return late.opened;
        if (event.deliveries === 2) {
          late.open();
          await late.opened;
          throw new Error('spilt');
        }
        await release.opened;
      },
      { timeout: 200 },
    );
    await fill(conn, 'cups.1', 1);
    await seen.reaches(3);
    expect(subscription.status().lag).toBe(1);
    release.open();
    await subscription.caughtUp(background);
  });
}

function closing(backend: Backend): void {
  it('lets handlers finish when it is closed, and counts what they did', async () => {
    const conn = await connected(backend);
    const options = { durable: true, backfill: true, concurrency: 4 };
    const [release, before, after] = [gate(), new Seen(), new Seen()];
    await fill(conn, 'cups.1', 10);
    const handle = async (_: unknown, event: Event) => {
      before.handle(_, event);
      await release.opened;
    };
    const first = await conn.subscribe('cups.1', handle, options);
    await before.reaches(4);
    let closed = false;
    const closing = first.close().then(() => {
      closed = true;
    });
    const others = await conn.subscribe('cups.1', () => {}, { name: 'others', backfill: true });
    await others.caughtUp(background);
    expect(closed).toBe(false);
    release.open();
    await closing;
    const second = await conn.subscribe('cups.1', after.handle, options);
    await second.caughtUp(background);
    expect([before.numbers, after.numbers]).toEqual([range(4), range(6, 4)]);
  });

  it('waits for a handler no longer than its time when it is closed, cancels its context, and gives the event again later', async () => {
    const conn = await connected(backend);
    const options = { durable: true, backfill: true, timeout: 200 };
    const [before, after] = [new Seen(), new Seen()];
    let ctx: Context | undefined;
    await fill(conn, 'cups.1', 3);
    const hang = (given: Context, event: Event) => {
      before.handle(given, event);
      if (numberOf(event) !== 1) return;
      ctx = given;
      return new Promise<void>(() => {});
    };
    const first = await conn.subscribe('cups.1', hang, options);
    await before.reaches(3);
    await first.close();
    expect(ctx?.signal.aborted).toBe(true);
    const second = await conn.subscribe('cups.1', after.handle, options);
    await second.caughtUp(background);
    expect(after.numbers).toEqual([1]);
    expect(after.events[0]?.deliveries).toBeGreaterThan(1);
  });
}

function resuming(backend: Backend): void {
  it('remembers exactly which events were failing when a durable subscription is closed', async () => {
    const conn = await connected(backend);
    const options = { durable: true, backfill: true };
    const [acked, after] = [new Seen(), new Seen()];
    const failures = new Map<number, number>();
    await fill(conn, 'cups.1', 50);
    const first = await conn.subscribe(
      'cups.1',
      (_, event) => {
        const n = numberOf(event);
        if (n % 10 !== 5) return acked.handle(_, event);
        failures.set(n, event.deliveries);
        throw new Error('spilt');
      },
      options,
    );
    await acked.reaches(45);
    await eventually(() => expect(failures.size).toBe(5));
    await first.close();
    const second = await conn.subscribe('cups.1', after.handle, options);
    await second.caughtUp(background);
    expect(ascending(after.numbers)).toEqual([5, 15, 25, 35, 45]);
    for (const event of after.events) expect(event.deliveries).toBe((failures.get(numberOf(event)) ?? 0) + 1);
  });
}
