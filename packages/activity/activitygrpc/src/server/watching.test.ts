import { fromBinary } from '@bufbuild/protobuf';
import { type EntityRef, entityStream, type OpenOptions } from '@samovar/activity';
import { EntityKind } from '@samovar/api/entities/v1/entity';
import { ReposEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import { background, type Context } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type EventStream } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CountingEvents } from '../../testing.ts';
import { EventFeed } from './events.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');
const repo: EntityRef = { kind: 'repo', repoId };
const ctx = background;

type Way = 'log' | 'watch';

/** A log whose readers can be held up. */
class HeldEvents extends CountingEvents {
  readonly #held = new Map<Way, Promise<void>>();
  #failure: Error | undefined;

  override open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream {
    const events = super.open(ctx, entity, options);
    const held = () => this.#hold(events, options.watch ? 'watch' : 'log');
    return { history: held, [Symbol.asyncIterator]: held };
  }

  /** What is read this way waits until it is resolved. */
  hold(way: Way): PromiseWithResolvers<void> {
    const held = Promise.withResolvers<void>();
    this.#held.set(way, held.promise);
    return held;
  }

  /** Has the watch fail once with the next event. */
  fail(error: Error): void {
    this.#failure = error;
  }

  async *#hold(events: AsyncIterable<Event>, way: Way): AsyncGenerator<Event> {
    for await (const event of events) {
      await this.#held.get(way);
      const failure = way === 'watch' ? this.#failure : undefined;
      if (failure !== undefined) {
        this.#failure = undefined;
        throw failure;
      }
      yield event;
    }
  }
}

let conn: Conn;
let events: HeldEvents;
let feed: EventFeed;
beforeEach(async () => {
  conn = await connect('memory:', { logger: null });
  events = new HeldEvents(conn);
  feed = new EventFeed(events);
});
afterEach(() => conn.close());

const append = (type: string, data = Data.nil) => conn.publish(ctx, entityStream(repo), { type, data });

interface Response {
  readonly types: readonly string[];
  readonly willBlock: boolean;
}

/** One who watches the repository, and what it has got. */
class Reader {
  readonly #responses: AsyncIterator<Uint8Array>;

  constructor(after: EventId | '' = '', from = feed) {
    const request = { repoId, after, watch: true };
    this.#responses = from.of(EntityKind.REPO)(ctx, request)[Symbol.asyncIterator]();
  }

  async next(): Promise<Response | undefined> {
    const { done, value } = await this.#responses.next();
    if (done) return undefined;
    const { events, willBlock } = fromBinary(ReposEventsResponseSchema, value);
    return { types: events.map(({ type }) => type), willBlock };
  }

  /** The types of the next events, so many of them or a few more. */
  async take(count: number): Promise<string[]> {
    const types: string[] = [];
    while (types.length < count) types.push(...((await this.next())?.types ?? []));
    return types;
  }

  async leave(): Promise<void> {
    await this.#responses.return?.();
  }
}

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `t${from + i}`);

describe('those who watch an entity', () => {
  it('each get all events once, in order, whenever they join while others publish', async () => {
    const count = 2_000;
    const readers: Promise<string[]>[] = [];
    const left: Promise<void>[] = [];
    const read = async () => {
      const reader = new Reader();
      const types = await reader.take(count);
      left.push(reader.leave());
      return types;
    };
    for (let n = 0; n < count; n++) {
      const published = append(`t${n}`);
      if (n % 20 === 0) readers.push(read());
      if (n % 3 !== 0) await published;
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const types of await Promise.all(readers)) expect(types).toEqual(names(0, count));
    await Promise.all(left);
    await vi.waitFor(() => expect(events.ended).toBe(events.watching));
  });

  it('get what the watch gives after they have read it from the log only once', async () => {
    await append('t0');
    const early = new Reader();
    expect(await early.next()).toEqual({ types: ['t0'], willBlock: true });
    const [all, watch] = [early.next(), events.hold('watch')];
    for (const type of ['t1', 't2']) await append(type);
    const [late, latest] = [new Reader(), new Reader()];
    expect(await late.next()).toEqual({ types: ['t0', 't1', 't2'], willBlock: true });
    const rest = late.next();
    for (const type of ['t3', 't4']) await append(type);
    expect(await latest.take(5)).toEqual(names(0, 5));
    const none = latest.next();
    watch.resolve();
    expect((await all)?.types).toEqual(names(1, 5));
    expect(await rest).toEqual({ types: ['t3', 't4'], willBlock: true });
    await append('t5');
    expect(await none).toEqual({ types: ['t5'], willBlock: true });
    expect(await Promise.all([early.next(), late.next()])).toEqual(
      [1, 2].map(() => ({ types: ['t5'], willBlock: true })),
    );
    expect(events.watching).toBe(1);
  });

  it('get what the watch has given before they came to the end of the log from there', async () => {
    await append('t0');
    const early = new Reader();
    await early.next();
    const news = early.next();
    await vi.waitUntil(() => events.watching === 1);
    const log = events.hold('log');
    const late = new Reader();
    const first = late.next();
    await append('t1');
    expect(await news).toEqual({ types: ['t1'], willBlock: true });
    log.resolve();
    expect(await first).toEqual({ types: ['t0'], willBlock: true });
    expect(await late.next()).toEqual({ types: ['t1'], willBlock: true });
    const both = [early.next(), late.next()];
    await append('t2');
    expect(await Promise.all(both)).toEqual([1, 2].map(() => ({ types: ['t2'], willBlock: true })));
    expect(events.watching).toBe(1);
  });

  it('go on behind events that are erased', async () => {
    const early = new Reader();
    await early.next();
    const erased = early.next();
    await append('t0');
    await erased;
    await conn.erase(ctx, entityStream(repo));
    const late = new Reader();
    expect(await late.next()).toEqual({ types: [], willBlock: true });
    const both = [early.next(), late.next()];
    await append('t1');
    expect(await Promise.all(both)).toEqual([1, 2].map(() => ({ types: ['t1'], willBlock: true })));
  });

  it('miss nothing because of one who begins behind what is yet to come', async () => {
    const id = await append('t0');
    const ahead = new Reader(`7ZZZZZZZZZZZ${id.slice(12)}` as EventId);
    await ahead.next();
    const never = ahead.next();
    const reader = new Reader();
    await reader.next();
    const news = reader.next();
    await append('t1');
    expect(await news).toEqual({ types: ['t1'], willBlock: true });
    await ahead.leave();
    expect(await never).toBeUndefined();
  });

  it('read the log by themselves when they are slow, and nobody keeps it for them', async () => {
    const [fast, slow] = [new Reader(), new Reader()];
    for (const reader of [fast, slow]) await reader.next();
    const waiting = slow.next();
    for (let n = 0; n < 50; n++) {
      const next = fast.next();
      await append(`t${n}`, Data.bytes(new Uint8Array(32 * 1024)));
      expect((await next)?.types).toEqual([`t${n}`]);
    }
    expect(events.read).toHaveLength(50);
    expect((await waiting)?.types).toEqual(['t0']);
    expect(await slow.take(49)).toEqual(names(1, 50));
    expect(events.read).toHaveLength(99);
    const both = [fast.next(), slow.next()];
    await append('t50');
    expect((await Promise.all(both)).map((response) => response?.types)).toEqual([['t50'], ['t50']]);
    expect([events.read.length, events.watching]).toEqual([100, 1]);
  });

  it('all fail with what the watch has failed with, and others begin anew', async () => {
    const readers = [new Reader(), new Reader()];
    for (const reader of readers) await reader.next();
    const failed = readers.map((reader) => expect(reader.next()).rejects.toThrow('burnt'));
    await vi.waitUntil(() => events.watching === 1);
    events.fail(new Error('burnt'));
    await append('t0');
    await Promise.all(failed);
    const reader = new Reader();
    expect((await reader.next())?.types).toEqual(['t0']);
    const news = reader.next();
    await append('t1');
    expect((await news)?.types).toEqual(['t1']);
  });

  it('leave at once, and end the watch with the last', async () => {
    const [one, other] = [new Reader(), new Reader()];
    for (const reader of [one, other]) await reader.next();
    const never = [one.next(), other.next()];
    await vi.waitUntil(() => events.watching === 1);
    await one.leave();
    expect(await never[0]).toBeUndefined();
    expect(events.ended).toBe(0);
    await Promise.all([other.leave(), other.leave()]);
    expect(await never[1]).toBeUndefined();
    expect(events).toMatchObject({ watching: 1, ended: 1 });
  });
});
