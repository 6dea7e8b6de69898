import { background } from '@samovar/context';
import type { Conn, Event, SubscriptionOptions } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { eventually, fill, gate, invalid, numberOf, pour, range, refusalOf, Seen } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function keysCases(backend: Backend): void {
  ordering(backend);
  racing(backend);
  failing(backend);
  asking(backend);
}

const byGuest = (event: Event): string => event.meta.guest ?? '';

/** How an event can have a key: the option, the key, and what it takes to publish one, the rest being otherwise. */
interface Way {
  readonly what: string;
  readonly keyBy: NonNullable<SubscriptionOptions['keyBy']>;
  readonly keyOf: (event: Event) => string;
  readonly facts: (key: string, n: number) => { stream: string; aggregate: string; guest: string };
}

const stream: Way = {
  what: 'its stream',
  keyBy: 'stream',
  keyOf: (event) => event.stream.slice('cups.'.length),
  facts: (key, n) => ({ stream: `cups.${key}`, aggregate: `${n}`, guest: `${n}` }),
};
const ways: readonly Way[] = [
  stream,
  {
    what: 'its aggregate',
    keyBy: 'aggregate',
    keyOf: (event) => event.aggregate,
    facts: (key, n) => ({ stream: `cups.${n}`, aggregate: key, guest: `${n}` }),
  },
  {
    what: 'what a function says',
    keyBy: byGuest,
    keyOf: byGuest,
    facts: (key, n) => ({ stream: `cups.${n}`, aggregate: `${n}`, guest: key }),
  },
];

/** Publishes `count` events for each of the keys, in turn. */
async function serve(conn: Conn, keys: readonly string[], count: number, way = stream): Promise<void> {
  for (const n of range(count)) {
    for (const key of keys) {
      const { stream, aggregate, guest } = way.facts(key, n);
      await conn.publish(background, stream, { ...pour(n), aggregate, meta: { guest } });
    }
  }
}

function ordering(backend: Backend): void {
  it.each(ways)('hands over in turn the events of one key, $what, and those of others meanwhile', async (way) => {
    const { keyBy, keyOf } = way;
    const conn = await connected(backend);
    const [release, seen] = [gate(), new Seen()];
    const handle = (_: unknown, event: Event) => {
      seen.handle(_, event);
      return keyOf(event) === 'ann' && numberOf(event) === 0 ? release.opened : undefined;
    };
    const subscription = await conn.subscribe('cups.*', handle, { keyBy });
    await serve(conn, ['ann', 'bob', 'cyd'], 5, way);
    const of = (key: string) => seen.events.filter((event) => keyOf(event) === key).map(numberOf);
    await eventually(() => expect([of('bob'), of('cyd')]).toEqual([range(5), range(5)]));
    expect(of('ann')).toEqual([0]);
    release.open();
    await subscription.caughtUp(background);
    expect(of('ann')).toEqual(range(5));
  });

  it('goes on with other keys while 900 events of one wait for a handler', async () => {
    const conn = await connected(backend);
    const [release, seen] = [gate(), new Seen()];
    const handle = (_: unknown, event: Event) => {
      if (event.stream === 'cups.hot') return release.opened;
      return seen.handle(_, event);
    };
    const subscription = await conn.subscribe('cups.*', handle, { keyBy: 'stream', concurrency: 2 });
    await fill(conn, 'cups.hot', 900);
    await fill(conn, 'cups.1', 1500);
    await seen.reaches(1500);
    expect([seen.numbers, subscription.status().inFlight]).toEqual([range(1500), 1]);
    release.open();
    await subscription.caughtUp(background);
  });
}

function racing(backend: Backend): void {
  it('keeps the order of 16 keys over ten members whose handlers fail now and then', async () => {
    const conns = await (await TestLog.open(backend)).connects(5);
    const keys = range(16).map(String);
    const running = new Set<string>();
    const tried = new Map<string, number[]>(keys.map((key) => [key, []]));
    const handle = async (_: unknown, event: Event) => {
      expect(running.has(event.stream)).toBe(false);
      running.add(event.stream);
      tried.get(stream.keyOf(event))?.push(numberOf(event));
      await new Promise(setImmediate);
      running.delete(event.stream);
      if (Math.random() < 0.15 && event.deliveries < 4) throw new Error('spilt');
    };
    const options = { name: 'guests', durable: true, keyBy: 'stream' } as const;
    const members = await Promise.all(
      range(10).map((n) => (conns[n % 5] as Conn).subscribe('cups.*', handle, options)),
    );
    await serve(conns[0] as Conn, keys, 12);
    await members[3]?.caughtUp(background);
    for (const numbers of tried.values()) {
      expect([...new Set(numbers)]).toEqual(range(12));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });
}

function failing(backend: Backend): void {
  it('holds back the key of an event that comes again, and no other', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    const handle = (_: unknown, event: Event) => {
      seen.handle(_, event);
      const others = seen.events.filter(({ stream }) => stream === 'cups.bob').length;
      if (event.stream === 'cups.ann' && numberOf(event) === 0 && others < 50) throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.*', handle, { keyBy: 'stream' });
    await serve(conn, ['ann', 'bob'], 50);
    await subscription.caughtUp(background);
    const numbers = seen.events.filter(({ stream }) => stream === 'cups.ann').map(numberOf);
    expect([...new Set(numbers)]).toEqual(range(50));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it('goes on in the order of each key after it was closed with an event failing', async () => {
    const conn = await connected(backend);
    const options = { durable: true, backfill: true, keyBy: 'stream' } as const;
    await serve(conn, ['ann', 'bob'], 6);
    const [before, after] = [new Seen(), new Seen()];
    const spill = (_: unknown, event: Event) => {
      before.handle(_, event);
      if (event.stream === 'cups.ann' && numberOf(event) === 2) throw new Error('spilt');
    };
    const first = await conn.subscribe('cups.*', spill, options);
    await before.reaches(9);
    await first.close();
    const second = await conn.subscribe('cups.*', after.handle, options);
    await second.caughtUp(background);
    expect(after.events.map(({ stream }) => stream)).toEqual(range(4).map(() => 'cups.ann'));
    expect(after.numbers).toEqual([2, 3, 4, 5]);
  });
}

function asking(backend: Backend): void {
  it('takes it for a failure if the function throws or gives no text, which holds up nothing else', async () => {
    const conn = await connected(backend);
    const asked = new Map<number, number>();
    const keyBy = (event: Event): string => {
      const n = numberOf(event);
      asked.set(n, (asked.get(n) ?? 0) + 1);
      if (n === 1 && (asked.get(n) ?? 0) < 4) throw new Error('no key');
      return (n === 3 ? undefined : 'key') as string;
    };
    const seen = new Seen();
    const subscription = await conn.subscribe('cups.1', seen.handle, { keyBy, maxDeliver: 3 });
    await fill(conn, 'cups.1', 5);
    await eventually(() => expect(subscription.status()).toMatchObject({ parked: 1, lag: 1 }));
    expect(seen.numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 4]);
    expect(seen.events.find((event) => numberOf(event) === 1)?.deliveries).toBeGreaterThan(1);
  });

  it('takes functions of several members for the same, and refuses a member that orders otherwise', async () => {
    const conn = await connected(backend);
    const options = { name: 'guests', keyBy: byGuest };
    await conn.subscribe('cups.*', () => {}, options);
    await conn.subscribe('cups.*', () => {}, { ...options, keyBy: () => 'all' });
    for (const keyBy of ['stream', 'aggregate'] as const) {
      expect(await refusalOf(() => conn.subscribe('cups.*', () => {}, { ...options, keyBy }))).toEqual(
        invalid('keyBy'),
      );
    }
    expect(await refusalOf(() => conn.subscribe('cups.*', () => {}, { name: 'guests' }))).toEqual(invalid('keyBy'));
  });
}
