import { setImmediate } from 'node:timers/promises';
import {
  type ActivityHandle,
  completed,
  type EntityKind,
  type EntityRef,
  endOfStream,
  type Lease,
  type OpenOptions,
  type Outcome,
  retry,
  type Tail,
} from '@samovar/activity';
import { FakeEntityEvents, FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { type Context, background as ctx } from '@samovar/context';
import type { EventId, EventStream } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LazyEngine } from './activitylazy.ts';

const repoId = (n: number) => Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-${String(n).padStart(12, '0')}`);
const repo = (n: number): EntityRef => ({ kind: 'repo', repoId: repoId(n) });

/** Lets through what it holds back when it is opened. */
class Gate {
  #open = Promise.withResolvers<void>();
  held = 0;

  constructor() {
    this.open();
  }

  close(): void {
    this.#open = Promise.withResolvers();
  }

  open(): void {
    this.#open.resolve();
  }

  async pass(): Promise<void> {
    this.held++;
    await this.#open.promise;
    this.held--;
  }
}

class CountedEvents extends FakeEntityEvents {
  readonly signalled = new Gate();
  readonly asked = { open: 0, head: 0, heads: 0, signals: 0 };
  failing: Error | undefined;

  override open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream {
    this.asked.open++;
    return super.open(ctx, entity, options);
  }

  override async head(ctx: Context, entity: EntityRef): Promise<EventId | null> {
    this.asked.head++;
    if (this.failing !== undefined) throw this.failing;
    return await super.head(ctx, entity);
  }

  override async *heads(ctx: Context, kinds: readonly EntityKind[]) {
    this.asked.heads++;
    yield* super.heads(ctx, kinds);
  }

  override async *signals(ctx: Context, kinds: readonly EntityKind[]) {
    this.asked.signals++;
    await this.signalled.pass();
    yield* super.signals(ctx, kinds);
  }
}

class GatedLeases extends FakeLeases {
  readonly claiming = new Gate();
  readonly storing = new Gate();
  readonly completing = new Gate();

  override async claim(ctx: Context, activity: Lease['activity']): Promise<Lease | undefined> {
    await this.claiming.pass();
    return await super.claim(ctx, activity);
  }

  override async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await this.storing.pass();
    await super.storeTail(ctx, lease, tail);
  }

  override async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await this.completing.pass();
    await super.complete(ctx, lease, tail);
  }
}

describe('LazyEngine', () => {
  let clock: TestClock;
  let events: CountedEvents;
  let leases: GatedLeases;
  let logger: RecordingLogger;
  let engine: LazyEngine;
  beforeEach(() => {
    clock = new TestClock();
    events = new CountedEvents();
    leases = new GatedLeases();
    logger = new RecordingLogger();
    engine = new LazyEngine({ events, leases, logger, clock });
  });
  afterEach(() => engine.stop());

  /** What each run has read, and what lets it end. */
  let runs: { readonly types: readonly string[]; readonly end: (outcome?: Outcome) => void }[];
  beforeEach(() => {
    runs = [];
  });
  const reading = async (_: Context, __: Uuid, tail: Tail, stream: EventStream): Promise<Outcome> => {
    const types: string[] = [];
    let last = tail;
    for await (const { id, type } of stream) {
      types.push(type);
      last = id;
    }
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    runs.push({ types, end: (outcome = endOfStream(last)) => resolve(outcome) });
    return await promise;
  };
  const start = (n = 1) => engine.startRepoActivity(ctx, repoId(n), reading, { name: 'tea' });
  const append = (...types: readonly string[]) => events.append(repo(1), ...types.map((type) => ({ type })));

  const quiet = async () => {
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  };
  const until = async (condition: () => boolean) => {
    const end = performance.now() + 5_000;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited in vain until ${condition.toString()}`);
      await setImmediate();
    }
  };
  const state = (handle: ActivityHandle, wanted: string) => until(() => handle.status().state === wanted);
  const read = () => runs.map(({ types }) => types.join(''));

  it('runs an activity once more for all the news that came while it ran', async () => {
    append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    for (const type of ['b', 'c', 'd']) append(type);
    await quiet();
    runs[0]?.end();
    await until(() => runs.length === 2);
    runs[1]?.end();
    await state(handle, 'sleeping');
    await quiet();
    expect(read()).toEqual(['a', 'bcd']);
  });

  it('runs an activity once more for news that came while its tail was stored', async () => {
    append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    leases.storing.close();
    runs[0]?.end();
    await until(() => leases.storing.held === 1);
    append('b');
    await quiet();
    leases.storing.open();
    await until(() => runs.length === 2);
    runs[1]?.end();
    await state(handle, 'sleeping');
    expect(read()).toEqual(['a', 'b']);
  });

  it('leaves an activity that waits for another try alone, and gives it all news then', async () => {
    append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    runs[0]?.end(retry(null, new Error('x')));
    await state(handle, 'retrying');
    append('b');
    await quiet();
    expect(runs).toHaveLength(1);
    clock.advance(100);
    await until(() => runs.length === 2);
    runs[1]?.end();
    await state(handle, 'sleeping');
    await quiet();
    expect(read()).toEqual(['a', 'ab']);
  });

  it('sees news that comes while an activity is started', async () => {
    await (await start(2)).stop();
    leases.claiming.close();
    const starting = start();
    await until(() => leases.claiming.held === 1);
    append('a');
    await quiet();
    leases.claiming.open();
    await starting;
    await until(() => runs.length === 1);
    runs[0]?.end();
    expect(read()).toEqual(['a']);
  });

  it('sees news that comes before the signals are connected', async () => {
    events.signalled.close();
    const handle = await start();
    append('a');
    await quiet();
    expect(handle.status().state).toBe('sleeping');
    events.signalled.open();
    await until(() => runs.length === 1);
    runs[0]?.end();
  });

  it('does not run what is completing for news', async () => {
    const [a] = append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    leases.completing.close();
    runs[0]?.end(completed(a ?? null));
    await until(() => leases.completing.held === 1);
    append('b');
    await quiet();
    leases.completing.open();
    expect(await handle.ended).toBe('completed');
    await quiet();
    expect(runs).toHaveLength(1);
  });

  it('runs one that is ready once, however many signals it gets', async () => {
    await engine.stop();
    engine = new LazyEngine({ events, leases, logger, clock, limits: { repo: 1 } });
    events.append(repo(2), { type: 'x' });
    append('a');
    await start(2);
    await until(() => runs.length === 1);
    const handle = await start();
    await state(handle, 'ready');
    append('b');
    append('c');
    await quiet();
    runs[0]?.end();
    await until(() => runs.length === 2);
    runs[1]?.end();
    await state(handle, 'sleeping');
    await quiet();
    expect(read()).toEqual(['x', 'abc']);
  });

  it('stores a tail after what is under way to make sure of the lease', async () => {
    const [a] = append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    leases.storing.close();
    clock.advance(10_000);
    runs[0]?.end();
    await quiet();
    expect(leases.storing.held).toBe(1);
    leases.storing.open();
    await state(handle, 'sleeping');
    expect(handle.status().tail).toBe(a);
    expect(clock.timers).toBe(0);
  });

  it('opens no stream, runs nothing and sets no timer where there is no news', async () => {
    append('a');
    const handle = await start();
    await until(() => runs.length === 1);
    runs[0]?.end();
    await state(handle, 'sleeping');
    await engine.stop();
    engine = new LazyEngine({ events, leases, logger, clock });
    await Promise.all([start(1), start(2), start(3)]);
    await until(() => events.asked.head >= 4);
    await quiet();
    expect(events.asked.open).toBe(1);
    expect(clock.timers).toBe(0);
    expect(engine.activities().map(({ state }) => state)).toEqual(['sleeping', 'sleeping', 'sleeping']);
  });

  it('finds the news of many activities in one pass over the heads', async () => {
    events.signalled.close();
    const many = Array.from({ length: 200 }, (_, n) => n + 1);
    await Promise.all(many.map((n) => start(n)));
    append('a');
    events.append(repo(150), { type: 'b' });
    events.signalled.open();
    await until(() => runs.length === 2);
    for (const { end } of runs) end();
    await quiet();
    expect(read()).toEqual(['a', 'b']);
    expect(events.asked).toMatchObject({ open: 2, head: 0, heads: 1 });

    await engine.stop();
    engine = new LazyEngine({ events, leases, logger, clock });
    events.signalled.close();
    await Promise.all(many.map((n) => start(n)));
    events.signalled.open();
    await until(() => events.asked.heads === 2);
    await quiet();
    expect(events.asked).toMatchObject({ open: 2, head: 0 });
  });

  it('connects to lost signals again, and finds what has come meanwhile', async () => {
    const handle = await start();
    await start(2);
    await quiet();
    events.disconnect(new Error('the wire was cut'));
    await until(() => logger.lines.length === 1);
    expect(logger.lines).toMatchObject([
      { level: 'warn', fields: { kind: 'repo', err: { message: 'the wire was cut' } } },
    ]);
    append('a');
    await quiet();
    expect(runs).toHaveLength(0);
    clock.advance(100);
    await until(() => runs.length === 1);
    runs[0]?.end();
    await state(handle, 'sleeping');
    append('b');
    await until(() => runs.length === 2);
    runs[1]?.end();
    await quiet();
    expect(read()).toEqual(['a', 'b']);
    expect(events.asked).toMatchObject({ signals: 2, open: 2 });
  });

  it('finds what has come before an activity is started, also where none was there when the signals came back', async () => {
    await (await start(2)).stop();
    await quiet();
    events.disconnect();
    await until(() => logger.lines.length === 1);
    clock.advance(100);
    await until(() => events.asked.signals === 2);
    await quiet();
    append('a');
    await quiet();
    await start();
    await until(() => runs.length === 1);
    runs[0]?.end();
    expect(read()).toEqual(['a']);
  });

  it('connects again, after pauses that grow, when heads cannot be asked for', async () => {
    events.failing = new Error('no heads');
    append('a');
    await start();
    for (let attempt = 1; attempt <= 4; attempt++) {
      await until(() => logger.lines.length === attempt);
      expect(logger.lines.at(-1)).toMatchObject({ fields: { attempt, err: { message: 'no heads' } } });
      clock.advance(100 * 2 ** (attempt - 1) - 1 - 50 * 2 ** (attempt - 1));
      await quiet();
      expect(events.asked.signals).toBe(attempt);
      if (attempt === 4) events.failing = undefined;
      clock.advance(100 * 2 ** (attempt - 1));
    }
    await until(() => runs.length === 1);
    runs[0]?.end();
  });

  it('stops while it waits to connect again', async () => {
    await start();
    await quiet();
    events.disconnect();
    await until(() => logger.lines.length === 1);
    await engine.stop();
    expect(clock.timers).toBe(0);
    clock.advance(60_000);
    await quiet();
    expect(events.asked.signals).toBe(1);
  });
});
