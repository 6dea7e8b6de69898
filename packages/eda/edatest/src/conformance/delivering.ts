import { background, contextKey, withValue } from '@samovar/context';
import type { Conn, Event, EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import {
  ascending,
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
  scatter,
} from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function deliveringCases(backend: Backend): void {
  sharing(backend);
  bounds(backend);
  publishing(backend);
  using(backend);
}

function sharing(backend: Backend): void {
  it('gives 50 members of one name the 5,000 events of 50 publishers, each event to one of them', async () => {
    const conns = await (await TestLog.open(backend)).connects(5);
    const seen = range(50).map(() => new Seen());
    const members = seen.map((mine, n) =>
      (conns[n % 5] as Conn).subscribe('cups.*', async (_, event) => mine.handle(_, event), { name: 'guests' }),
    );
    const [first] = await Promise.all(members);
    const publishers = range(50).map(async (p) => {
      for (const n of range(100)) await (conns[p % 5] as Conn).publish(background, `cups.${p}`, pour(p * 100 + n));
    });
    await Promise.all(publishers);
    await first?.caughtUp(background);
    expect(ascending(seen.flatMap(({ numbers }) => numbers))).toEqual(range(5000));
    expect(seen.filter(({ events }) => events.length > 0).length).toBeGreaterThan(25);
  });

  it('gives each of 20 streams at once whole to its own subscription, and starts handlers in log order', async () => {
    const conns = await (await TestLog.open(backend)).connects(2);
    const streams = range(20).map((n) => `cups.${n}`);
    const all = await Promise.all(
      streams.map(async (stream, n) => {
        const seen = new Seen();
        const handle = async (_: unknown, event: Event) => {
          seen.handle(_, event);
          await new Promise(setImmediate);
        };
        await (conns[n % 2] as Conn).subscribe(stream, handle, { backfill: true, concurrency: 4 });
        return { stream, seen };
      }),
    );
    for (const round of range(10)) await scatter(conns, streams, 200, round * 200);
    for (const { stream, seen } of all) {
      await seen.reaches(100);
      expect(idsOf(seen.events)).toEqual(idsOf(await read(conns[0] as Conn, stream)));
    }
  });

  it('wakes a subscription for what another connection publishes', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    const seen = new Seen();
    await conn.subscribe('cups.1', seen.handle);
    for (const n of range(20)) {
      await other.publish(background, 'cups.1', pour(n));
      await seen.reaches(n + 1);
    }
    expect(seen.numbers).toEqual(range(20));
  });
}

function bounds(backend: Backend): void {
  it.each([
    ['3, as asked for', { concurrency: 3 }, 3],
    ['64, unless told otherwise', {}, 64],
  ])('runs at most so many handlers at once in all members together: %s', async (_, options, most) => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    await fill(conn, 'cups.1', 1000);
    const [full, release] = [gate(), gate()];
    let [running, peak] = [0, 0];
    const handle = async () => {
      peak = Math.max(peak, ++running);
      if (running === most) full.open();
      await release.opened;
      await new Promise(setImmediate);
      running--;
    };
    const terms = { name: 'guests', backfill: true, ...options };
    const [member] = await Promise.all([conn, other, conn].map((at) => at.subscribe('cups.1', handle, terms)));
    await full.opened;
    // Others get all there is meanwhile, so there was time to start more.
    const seen = new Seen();
    await conn.subscribe('cups.1', seen.handle, { name: 'other', backfill: true });
    await seen.reaches(1000);
    expect(member?.status().inFlight).toBe(most);
    release.open();
    await member?.caughtUp(background);
    expect(peak).toBe(most);
  });

  it('lets a handler that takes long hold up no other event', async () => {
    const conn = await connected(backend);
    const release = gate();
    const seen = new Seen();
    await conn.subscribe('cups.1', (_, event) => {
      seen.handle(_, event);
      return numberOf(event) === 0 ? release.opened : undefined;
    });
    await fill(conn, 'cups.1', 500);
    await seen.reaches(500);
    expect(seen.numbers).toEqual(range(500));
  });

  it('leaves a member that hangs its share of the handlers in flight, and gives the rest to the others', async () => {
    const conn = await connected(backend);
    const release = gate();
    const held: Event[] = [];
    const others = new Seen();
    const options = { name: 'guests', concurrency: 4 };
    const hold = (_: unknown, event: Event) => {
      held.push(event);
      return release.opened;
    };
    const hanging = await conn.subscribe('cups.1', hold, options);
    await conn.subscribe('cups.1', others.handle, options);
    await fill(conn, 'cups.1', 100);
    await others.reaches(98);
    expect(held).toHaveLength(2);
    release.open();
    await hanging.caughtUp(background);
  });
}

function publishing(backend: Backend): void {
  it('names the event being handled as the cause of what is published under its context, and keeps its correlation', async () => {
    const conn = await connected(backend);
    const key = contextKey('seat', 0);
    const seen = new Seen();
    await conn.subscribe('cups.*', async (ctx, event) => {
      const n = numberOf(event);
      if (n < 3) await conn.publish(withValue(ctx, key, n), `cups.${n + 1}`, pour(n + 1));
      seen.handle(ctx, event);
    });
    const first = await conn.publish(background, 'cups.0', pour(0));
    await seen.reaches(4);
    const events = await read(conn, '>');
    expect(events.map(({ cause }) => cause)).toEqual([null, ...idsOf(events).slice(0, 3)]);
    expect(events.map(({ meta }) => meta.correlation)).toEqual([undefined, first, first, first]);
  });

  it('takes cause and correlation from the event published if that sets them', async () => {
    const conn = await connected(backend);
    const cause = await conn.publish(background, 'pots', pour(9));
    const seen = new Seen();
    await conn.subscribe('cups.0', async (ctx, event) => {
      await conn.publish(ctx, 'cups.1', { ...pour(1), cause, meta: { correlation: 'mine', guest: 'ann' } });
      await conn.publishAll(ctx, 'cups.2', [{ ...pour(2), meta: { guest: 'ann' } }]);
      await conn.publish(background, 'cups.3', pour(3));
      seen.handle(ctx, event);
    });
    const id = await conn.publish(background, 'cups.0', { ...pour(0), meta: { correlation: 'theirs' } });
    await seen.reaches(1);
    const made = (await read(conn, 'cups.*')).slice(1);
    expect(made.map((event) => [event.cause, event.meta])).toEqual([
      [cause, { correlation: 'mine', guest: 'ann' }],
      [id, { correlation: 'theirs', guest: 'ann' }],
      [null, {}],
    ]);
  });
}

function using(backend: Backend): void {
  it('lets handlers publish to the stream they handle, and use the log in every way', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    await conn.subscribe(
      'cups.1',
      async (ctx, event) => {
        const n = numberOf(event);
        expect(await conn.head(ctx, 'cups.1')).toBe(event.id);
        const expectedHead: EventId = event.id;
        if (n < 50) await conn.publish(ctx, 'cups.1', pour(n + 1), { expectedHead, key: String(n) });
        seen.handle(ctx, event);
      },
      { serial: true },
    );
    await conn.publish(background, 'cups.1', pour(0));
    await seen.reaches(51);
    expect(seen.numbers).toEqual(range(51));
  });

  it('refuses what a handler publishes once its time is over', async () => {
    const conn = await connected(backend);
    const refused: unknown[] = [];
    await conn.subscribe(
      'cups.1',
      async (ctx, event) => {
        if (event.deliveries > 1) return;
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
        refused.push(await refusalOf(() => conn.publish(ctx, 'pots', pour(1))));
      },
      { name: 'guest', timeout: 30 },
    );
    const seen = new Seen();
    const marker = await conn.subscribe('cups.1', (_, event) => {
      if (refused.length === 0) throw new Error('not yet');
      seen.handle(_, event);
    });
    await conn.publish(background, 'cups.1', pour(0));
    await marker.caughtUp(background);
    expect(refused).toEqual([refusal('context.deadlineExceeded')]);
    expect(await conn.head(background, 'pots')).toBe(null);
  });
}
