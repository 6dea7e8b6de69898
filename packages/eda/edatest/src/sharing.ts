import { background as ctx } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type SubscriptionOptions } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogProcess, type Opening } from './processes.ts';

/** A fresh log for one test. */
export interface SharedLog {
  /** A connection of this process to it, which the suite closes. */
  readonly conn: Conn;
  /** How other processes open it. */
  readonly opening: Opening;
}

let conn: Conn;
let opening: Opening;
let children: LogProcess[];

/** Declares, as a vitest suite, what several processes that have one durable subscription open may rely on. */
export function sharingConformance(open: () => Promise<SharedLog>): void {
  beforeEach(async () => {
    ({ conn, opening } = await open());
    children = [];
  });
  // Before what `open` has made is removed.
  afterEach(async () => {
    for (const child of children) await child.kill();
    await conn.close();
  });
  describe('a durable subscription without an order, in several processes', sharingCases);
}

const name = 'n';
const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
const publish = (count: number, from = 0): Promise<EventId[]> =>
  conn.publishAll(
    ctx,
    's',
    range(count, from).map((n) => ({ type: 't', data: Data.json(n) })),
  );

/**
 * A process that shares the subscription, and handles an event in so many milliseconds; says 'ready', then the number of
 * each event when it is through with it. A nudge has it close.
 */
function newMember(ms: number, options: SubscriptionOptions = {}, fails = 'false'): LogProcess {
  const child = new LogProcess(
    opening,
    `
    const { replaying } = await import('@samovar/eda');
    const handle = async (ctx, event) => {
      const n = event.data.json();
      await new Promise((resolve) => setTimeout(resolve, ${ms}));
      if (${fails}) throw new Error('spilt');
      say(n + (ctx.value(replaying) ? ' again' : ''));
    };
    process.stdin.once('data', () => conn.close().then(() => process.exit()));
    await conn.subscribe('s', handle, ${JSON.stringify({ name, durable: true, backfill: true, ...options })});
    say('ready');`,
  );
  children.push(child);
  return child;
}

async function newMembers(count: number, ...how: Parameters<typeof newMember>): Promise<LogProcess[]> {
  const members = range(count).map(() => newMember(...how));
  for (const member of members) await member.says(1);
  return members;
}

const handledBy = ({ said }: LogProcess) => said.slice(1).map((line) => Number(line.split(' ')[0]));
const handled = (members: readonly LogProcess[] = children) => members.flatMap(handledBy);

async function closed(member: LogProcess): Promise<void> {
  member.nudge();
  await member.exited();
}

/** Resolves when so many different events are handled. */
const handles = (count: number) =>
  vi.waitUntil(() => new Set(handled()).size >= count, { timeout: 25_000, interval: 10 });

function sharingCases(): void {
  it('is handled by all three where handlers are slow, each event once', async () => {
    const members = await newMembers(3, 50, { concurrency: 4 });
    await publish(300);
    await handles(300);
    for (const member of members) await closed(member);
    expect(ascending(handled())).toEqual(range(300));
    for (const member of members) expect(handledBy(member).length).toBeGreaterThan(60);
  }, 30_000);

  it('is handled by one where that one has room for all', async () => {
    const members = await newMembers(3, 1);
    for (const n of range(100)) {
      await publish(1, n);
      await handles(n + 1);
    }
    expect(members.map((member) => handledBy(member).length).toSorted((a, b) => a - b)).toEqual([0, 0, 100]);
  }, 30_000);

  it('loses none when one is killed, and repeats only what that one had', async () => {
    const members = await newMembers(3, 20, { concurrency: 8 });
    await publish(2000);
    await handles(700);
    const [killed, ...others] = members as [LogProcess, LogProcess, LogProcess];
    await killed.kill();
    await handles(2000);
    for (const member of others) await closed(member);
    const twice = handled().length - 2000;
    expect(ascending([...new Set(handled())])).toEqual(range(2000));
    expect(ascending(handled(others))).toEqual(ascending([...new Set(handled(others))]));
    // What it acknowledged in the last 100 ms, and what was not stored then because the machine was busy.
    expect(twice).toBeLessThan(200);
  }, 30_000);

  it('repeats and loses none while members come and go', async () => {
    let [published, over] = [0, false];
    const publishing = (async () => {
      for (; !over; published += 100) {
        await publish(100, published);
        await vi.waitUntil(() => over || handled().length > published - 200, { timeout: 25_000, interval: 5 });
      }
    })();
    await newMembers(2, 5, { concurrency: 2 });
    for (const _ of range(6)) {
      const [next] = await newMembers(1, 5, { concurrency: 2 });
      await next?.says(10);
      await closed(children[children.length - 3] as LogProcess);
    }
    over = true;
    await publishing;
    await handles(published);
    for (const member of children) await closed(member);
    expect(ascending(handled())).toEqual(range(published));
  }, 60_000);

  it('goes on without one that is stopped, whose late acknowledgements do not count; it takes part again later', async () => {
    const members = await newMembers(3, 20, { concurrency: 8 });
    await publish(300);
    await handles(100);
    const [paused, ...others] = members as [LogProcess, LogProcess, LogProcess];
    paused.signal('SIGSTOP');
    await handles(300);
    paused.signal('SIGCONT');
    const before = handledBy(paused).length;
    await publish(600, 300);
    await handles(900);
    await vi.waitUntil(() => handledBy(paused).length > before + 100, { timeout: 10_000 });
    for (const member of members) await closed(member);
    expect(ascending([...new Set(handled())])).toEqual(range(900));
    expect(handled(others).length).toBe(new Set(handled(others)).size);
    expect(handled().length).toBeLessThan(900 + 100);
  }, 40_000);

  it('goes on in others while one that is closing waits for its handlers', async () => {
    const closing = new LogProcess(
      opening,
      `
      const { promise, resolve } = Promise.withResolvers();
      const handle = () => (say('started'), promise);
      await conn.subscribe('s', handle, ${JSON.stringify({ name, durable: true, backfill: true, concurrency: 1 })});
      process.stdin.once('data', () => {
        process.stdin.once('data', resolve);
        conn.close().then(() => process.exit());
        say('closing');
      });`,
    );
    children.push(closing);
    await publish(200);
    await closing.says(1);
    closing.nudge();
    await closing.says(2);
    const [other] = (await newMembers(1, 5)) as [LogProcess];
    await other.says(200);
    closing.nudge();
    await closing.exited();
    await publish(1, 200);
    await other.says(201);
    await closed(other);
    expect(ascending(handledBy(other))).toEqual(range(200, 1));
  }, 30_000);

  it('parks what fails, and replays it once, whoever asks', async () => {
    const members = await newMembers(3, 20, { concurrency: 8, maxDeliver: 2 }, 'n % 10 === 0 && !ctx.value(replaying)');
    const ids = await publish(400);
    await handles(360);
    await using sub = await conn.subscribe('s', () => {}, { name, durable: true, backfill: true, maxDeliver: 2 });
    await expect(sub.caughtUp(ctx, ids[50])).rejects.toMatchObject({ id: 'eda.parked' });
    await vi.waitUntil(() => sub.status().parked === 40, { timeout: 10_000 });
    await vi.waitFor(() => expect(sub.status()).toMatchObject({ state: 'running', lag: 40, lastAcked: null }));
    await sub.close();
    const parked = conn.parked(name);
    await parked.skip(ctx, ids[0] as EventId);
    await parked.replay(ctx, 'all');
    await handles(399);
    await vi.waitUntil(async () => (await parked.count(ctx)) === 0);
    for (const member of members) await closed(member);
    expect(ascending(handled())).toEqual(range(399, 1));
    const again = children.flatMap(({ said }) => said.filter((line) => line.endsWith('again')));
    expect(again).toHaveLength(39);
  }, 30_000);

  it('is caught up in all when it is in one, says so, and begins anew in all when one resets it', async () => {
    const members = await newMembers(2, 20, { concurrency: 2 });
    const mine: number[] = [];
    const options = { name, durable: true, backfill: true, concurrency: 2 };
    const handle = (_: unknown, event: Event) => void mine.push(event.data.json());
    const sub = await conn.subscribe('s', handle, options);
    const ids = await publish(200);
    await sub.caughtUp(ctx);
    expect(ascending([...handled(), ...mine])).toEqual(range(200));
    const through = { state: 'running', lag: 0, parked: 0, inFlight: 0, lastAcked: ids.at(-1) };
    await vi.waitFor(() => expect(sub.status()).toMatchObject(through));
    await sub.close();
    const again = await conn.subscribe('s', handle, { ...options, reset: true });
    await again.caughtUp(ctx);
    expect(ascending([...handled(), ...mine])).toEqual(range(400).map((n) => Math.floor(n / 2)));
    await again.unsubscribe();
    await vi.waitUntil(() => handled().length + mine.length === 600, { timeout: 10_000 });
    for (const member of members) await closed(member);
    expect(ascending([...handled(), ...mine])).toEqual(range(600).map((n) => Math.floor(n / 3)));
  }, 30_000);
}
