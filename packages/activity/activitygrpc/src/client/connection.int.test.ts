import { type ActivityKey, type EntityRef, entityStream, type Peers } from '@samovar/activity';
import { RecordingLogger, TestClock } from '@samovar/activitytest';
import { FakeBus } from '@samovar/bustest';
import {
  background,
  CanceledError,
  type Context,
  DeadlineExceededError,
  throwIfDone,
  traceParent,
  whenDone,
  withCancel,
  withTimeout,
  withTraceParent,
} from '@samovar/context';
import type { Conn, Event } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { DomainError } from '@samovar/errors';
import { command, event, query } from '@samovar/message';
import { Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { CountingEvents, leaseMs, startServer, type TestServer } from '../../testing.ts';
import { connectEntities, type EntityConnection } from '../activitygrpc.ts';

const repo: EntityRef = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') };
const tea: ActivityKey = { entity: repo, name: 'tea' };
const AddCommand = command('maths.AddCommand', z.object({ a: z.int(), b: z.int() }), z.object({ sum: z.int() }));
const ForgetCommand = command('maths.ForgetCommand', z.object({}));
const CountQuery = query('maths.CountQuery', z.object({ of: z.string().default('all') }), z.int());
const Added = event('maths.Added', z.object({}));
const ctx = background;

let conn: Conn;
let server: TestServer;
let connection: EntityConnection;
beforeEach(async () => {
  conn = await connect('memory:', { logger: null });
  server = await startServer(conn);
  connection = server.connect();
});
afterEach(async () => {
  await connection.close();
  await server[Symbol.asyncDispose]();
  await conn.close();
});

const append = (...types: readonly string[]) =>
  conn.publishAll(
    ctx,
    entityStream(repo),
    types.map((type) => ({ type })),
  );

async function hang(ctx: Context): Promise<never> {
  await whenDone(ctx);
  throwIfDone(ctx);
  throw new Error('unreachable');
}

describe('the bus of a worker', () => {
  it('has the server handle commands and queries', async () => {
    server.bus.addHandler(AddCommand, (_, { a, b }) => ({ sum: a + b }));
    server.bus.addHandler(ForgetCommand, () => {});
    server.bus.addHandler(CountQuery, (_, { of }) => of?.length ?? 0);
    expect(await connection.bus.dispatch(ctx, AddCommand, { a: 1, b: 2 })).toEqual({ sum: 3 });
    expect(await connection.bus.dispatch(ctx, ForgetCommand, {})).toBeUndefined();
    expect(await connection.bus.dispatch(ctx, CountQuery, {})).toBe(3);
  });

  it('takes the trace of a call along', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traces: (string | undefined)[] = [];
    server.bus.addHandler(ForgetCommand, (ctx) => void traces.push(ctx.value(traceParent)));
    await connection.bus.dispatch(withTraceParent(ctx, trace), ForgetCommand, {});
    await connection.bus.dispatch(ctx, ForgetCommand, {});
    expect(traces).toEqual([trace, undefined]);
  });

  it('fails as the server does', async () => {
    server.bus.addHandler(ForgetCommand, () => {
      throw new DomainError('not_found', 'maths.gone', {
        publicMessage: 'gone',
        message: 'secret',
        details: { at: 1 },
      });
    });
    const forgotten = connection.bus.dispatch(ctx, ForgetCommand, {});
    const error: unknown = await forgotten.catch((error: unknown) => error);
    expect(DomainError.is(error)).toBe(true);
    expect(error).toMatchObject({ status: 'not_found', id: 'maths.gone', publicMessage: 'gone', details: { at: 1 } });
    await expect(connection.bus.dispatch(ctx, CountQuery, {})).rejects.toMatchObject({ id: 'api.unknownMessage' });
    const wrong = connection.bus.dispatch(ctx, ForgetCommand, { tea: 1 } as never);
    await expect(wrong).rejects.toMatchObject({ id: 'message.invalid', status: 'invalid_argument' });
  });

  it('hands on deadline and cancellation', async () => {
    const contexts: Context[] = [];
    server.bus.addHandler(ForgetCommand, (ctx) => {
      contexts.push(ctx);
      return hang(ctx);
    });
    using timeout = withTimeout(ctx, 1_000);
    await expect(connection.bus.dispatch(timeout.ctx, ForgetCommand, {})).rejects.toThrow(DeadlineExceededError);
    expect(contexts[0]?.deadline).toBeDefined();
    const { ctx: canceled, cancel } = withCancel(ctx);
    const forgotten = connection.bus.dispatch(canceled, ForgetCommand, {});
    await vi.waitUntil(() => contexts.length === 2);
    cancel();
    await expect(forgotten).rejects.toThrow(CanceledError);
    await vi.waitFor(() => expect(contexts[1]?.signal.aborted).toBe(true));
  });

  it('refuses what only the server can do', async () => {
    const { bus } = connection;
    for (const fn of [
      () => bus.addHandler(ForgetCommand, () => {}),
      () => bus.addEventListener(Added, () => {}),
      () => bus.use((ctx, _, args, next) => next(ctx, args)),
      () => bus.afterCommit(ctx, () => {}),
    ]) {
      expect(fn).toThrow(expect.objectContaining({ id: 'activity.notRemote' }));
    }
    await expect(bus.publish(ctx, Added, {})).rejects.toMatchObject({ id: 'activity.notRemote' });
    await expect(bus.inTransaction(ctx, async () => {})).rejects.toMatchObject({ id: 'activity.notRemote' });
    expect([bus.isInTransaction(ctx), bus.catalogue()]).toEqual([false, []]);
  });
});

describe('a stream of events', () => {
  const types = async (events: AsyncIterable<{ readonly type: string }>) => {
    const got: string[] = [];
    for await (const { type } of events) got.push(type);
    return got;
  };

  it('of thousands comes whole, in order, and goes on', async () => {
    const all = Array.from({ length: 5_000 }, (_, i) => `t${i}`);
    for (let i = 0; i < all.length; i += 1_000) await append(...all.slice(i, i + 1_000));
    const events = connection.events.open(ctx, repo, { after: null, watch: true });
    expect(await types(events.history())).toEqual(all);
    await append('x', 'y', 'z');
    const got: string[] = [];
    for await (const { type } of events) if (got.push(type) === 3) break;
    expect(got).toEqual(['x', 'y', 'z']);
  });

  it('whose history is left early goes on behind it', async () => {
    await append('a', 'b', 'c');
    const events = connection.events.open(ctx, repo, { after: null, watch: false });
    for await (const _ of events.history()) break;
    expect(await types(events.history())).toEqual(['b', 'c']);
    expect(await types(events)).toEqual([]);
    expect(() => events[Symbol.asyncIterator]()).toThrow(TypeError);
  });

  it('ends in the server when it is left, and when its context is done', async () => {
    await append('a');
    const counting = new CountingEvents(conn);
    const own = await startServer(conn, { events: counting });
    await using _ = own;
    await using other = own.connect();
    for await (const { type } of other.events.open(ctx, repo, { after: null, watch: true })) {
      expect(type).toBe('a');
      break;
    }
    await vi.waitFor(() => expect(counting).toMatchObject({ watching: 1, ended: 1 }));
    const scope = withCancel(ctx);
    const events = other.events.open(scope.ctx, repo, { after: null, watch: true });
    await types(events.history());
    await vi.waitFor(() => expect(counting.watching).toBe(2));
    scope.cancel();
    await vi.waitFor(() => expect(counting.ended).toBe(2));
    await expect(types(events)).rejects.toThrow(CanceledError);
  });

  it('that is cut fails, and is opened again behind what it has given', async () => {
    await append('before');
    const cut = connection.events.open(ctx, repo, { after: null, watch: true })[Symbol.asyncIterator]();
    const first = await cut.next();
    const lost = cut.next();
    const { url, workers } = server;
    await Promise.all([expect(lost).rejects.toMatchObject({ status: 'unavailable' }), server[Symbol.asyncDispose]()]);
    expect(await cut.next()).toEqual({ done: true, value: undefined });
    await append('meanwhile');
    server = await startServer(conn, { workers, options: { port: Number(new URL(url).port) } });
    const after = (first.value as Event).id;
    const again = () => types(connection.events.open(ctx, repo, { after, watch: false }));
    await vi.waitFor(async () => expect(await again()).toEqual(['meanwhile']), 10_000);
  });

  it('of another log is refused', async () => {
    await using other = await connect('memory:', { logger: null });
    const after = await other.publish(ctx, 'tea', { type: 'a' });
    const events = connection.events.open(ctx, repo, { after, watch: false });
    await expect(types(events)).rejects.toMatchObject({ id: 'eda.foreignId', status: 'invalid_argument' });
  });
});

describe('a worker', () => {
  it('is told that its server is not there, and goes on when it is back', async () => {
    server.bus.addHandler(CountQuery, () => 1);
    expect(await connection.bus.dispatch(ctx, CountQuery, {})).toBe(1);
    const lease = await connection.leases.claim(ctx, tea);
    const signals = connection.events.signals(ctx, ['repo'])[Symbol.asyncIterator]();
    await signals.next();
    const lost = signals.next();
    const { url, bus, workers } = server;
    await Promise.all([
      expect(lost).rejects.toMatchObject({ status: 'unavailable', id: 'api.stopping' }),
      server[Symbol.asyncDispose](),
    ]);
    await expect(connection.bus.dispatch(ctx, CountQuery, {})).rejects.toMatchObject({
      status: 'unavailable',
      id: 'grpc.unavailable',
    });
    server = await startServer(conn, { bus, workers, options: { port: Number(new URL(url).port) } });
    await vi.waitFor(async () => expect(await connection.bus.dispatch(ctx, CountQuery, {})).toBe(1), 10_000);
    if (lease === undefined) throw new Error('it was free');
    await expect(connection.leases.storeTail(ctx, lease, null)).rejects.toMatchObject({ id: 'activity.staleLease' });
    expect(await connection.leases.claim(ctx, tea)).toMatchObject({ tail: null });
    await append('a');
    expect(await connection.events.head(ctx, repo)).not.toBeNull();
  });

  it('gives everything back when it closes', async () => {
    await connection.leases.claim(ctx, tea);
    expect(server.workers.members).toBe(1);
    await Promise.all([connection.close(), connection.close()]);
    expect(server.workers.members).toBe(0);
    await expect(connection.leases.claim(ctx, tea)).rejects.toThrow('closed');
  });

  it('gives signs of life, and says once when it cannot', async () => {
    const clock = new TestClock();
    await using ann = server.connect(clock);
    await using bob = server.connect();
    const lease = await ann.leases.claim(ctx, tea);
    for (let i = 0; i < 12; i++) {
      clock.advance(leaseMs / 6);
      await vi.waitUntil(() => clock.timers === 1);
      server.clock.advance(leaseMs / 6);
    }
    expect(await bob.leases.claim(ctx, tea)).toBeUndefined();
    if (lease === undefined) throw new Error('it was free');
    await ann.leases.storeTail(ctx, lease, null);
    const { url, logger } = server;
    await server[Symbol.asyncDispose]();
    for (let i = 0; i < 3; i++) {
      clock.advance(leaseMs / 6);
      await vi.waitUntil(() => clock.timers === 1);
    }
    expect(logger.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('alive'), fields: { err: { status: 'unavailable' } } },
    ]);
    server = await startServer(conn, { options: { port: Number(new URL(url).port) } });
  });

  it('knows the others before it has claimed anything, and joins by claiming only', async () => {
    await using ann = server.connect();
    const told: Peers[] = [];
    ann.leases.onPeers((peers) => told.push(peers));
    await connection.leases.claim(ctx, tea);
    expect(server.workers.members).toBe(1);
    server.workers.beat();
    await ann.leases.claim(ctx, tea);
    expect(told.map(({ all }) => all.map(({ runs }) => [...runs]))).toEqual([[['repo/tea'], []]]);
  });

  it('that the server has no room for is told so', async () => {
    await using small = await startServer(conn, { mostWorkers: 1 });
    await using ann = small.connect();
    await using bob = small.connect();
    expect(await ann.leases.claim(ctx, tea)).toBeDefined();
    await expect(bob.leases.claim(ctx, tea)).rejects.toMatchObject({
      id: 'activity.tooManyWorkers',
      status: 'resource_exhausted',
    });
    await ann.close();
    expect(await bob.leases.claim(ctx, tea)).toBeDefined();
  });
});

describe('an address', () => {
  const logger = new RecordingLogger();

  it.each(['', 'localhost', 'http://localhost:1', 'grpc://localhost', 'grpc://:1'])('%j is refused', (url) => {
    expect(() => connectEntities(url, { logger })).toThrow(expect.objectContaining({ id: 'activity.invalidServer' }));
  });

  it.each(['', 'two words', 'tøken', 'a\nb'])('gets no such token as %j', (token) => {
    expect(() => connectEntities('grpc://localhost:1', { logger, token })).toThrow(
      expect.objectContaining({ id: 'activity.invalidServer' }),
    );
  });

  it('elsewhere gets no token unencrypted', () => {
    expect(() => connectEntities('grpc://example.com:1', { logger, token: 's3cret' })).toThrow('grpcs://example.com:1');
    for (const url of ['grpcs://example.com:1', 'grpc://[::1]:1']) {
      const other = connectEntities(url, { logger, token: 's3cret' });
      onTestFinished(() => other.close());
    }
  });

  it('with a token wants to see it', async () => {
    const bus = new FakeBus();
    bus.addHandler(CountQuery, () => 1);
    await using own = await startServer(conn, { bus, options: { token: 's3cret' } });
    await using right = own.connect(undefined, 's3cret');
    expect(await right.bus.dispatch(ctx, CountQuery, {})).toBe(1);
    await using wrong = own.connect(undefined, 'secret');
    await expect(wrong.bus.dispatch(ctx, CountQuery, {})).rejects.toMatchObject({
      status: 'unauthenticated',
      id: 'api.unauthenticated',
    });
    await expect(wrong.events.head(ctx, repo)).rejects.toMatchObject({ status: 'unauthenticated' });
    const signals = wrong.events.signals(ctx, ['repo'])[Symbol.asyncIterator]();
    await expect(signals.next()).rejects.toMatchObject({ status: 'unauthenticated' });
  });
});
