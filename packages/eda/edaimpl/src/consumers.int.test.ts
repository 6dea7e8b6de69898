import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background, type Context, withCancel, withTimeout, withValue } from '@samovar/context';
import { Conn, Consumer, Consumers, dataOf, type Event, handledEvent, newEvent, stream } from '@samovar/eda';
import { event } from '@samovar/message';
import { BackgroundService, workContext } from '@samovar/server';
import { Container } from 'inversify';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { connect } from './edaimpl.ts';
import { consumersModule } from './module.ts';

const CupFilled = event('tea.CupFilled', z.object({ guest: z.string(), cups: z.int() }), {
  stream: ({ guest }) => stream`tea.${guest}`,
});
const CupBroken = event('tea.CupBroken', z.object({ guest: z.string() }), {
  stream: ({ guest }) => stream`tea.${guest}`,
});

/** What a test's consumer does; the rest is as usual. */
type Part = Partial<Pick<Consumer, 'name' | 'selector' | 'events' | 'options' | 'handle'>>;

function consumer(part: Part): Consumer {
  return {
    name: 'tea.cups',
    selector: 'tea.*',
    events: [CupFilled],
    options: { backfill: true },
    handle: () => {},
    ...part,
  };
}

/** Cups by guest, fed by a consumer. */
class Cups {
  readonly byGuest = new Map<string, number>();
  readonly handled: Event[] = [];

  readonly handle = (_: Context, event: Event): void => {
    const { guest, cups } = dataOf(CupFilled, event);
    this.byGuest.set(guest, (this.byGuest.get(guest) ?? 0) + cups);
    this.handled.push(event);
  };
}

/** A server that runs nothing but the consumers. */
class Serving {
  readonly consumers: Consumers;
  readonly stopped: Promise<void>;
  readonly abort: () => void;
  readonly #stop: () => void;
  readonly #services: readonly BackgroundService[];
  readonly #container = new Container();

  constructor(conn: Conn, ...consumers: Consumer[]) {
    this.#container = containerOf(conn, consumers);
    this.consumers = this.#container.get(Consumers);
    this.#services = this.#container.getAll(BackgroundService);
    const [intake, work] = [withCancel(background), withCancel(background)];
    this.#stop = intake.cancel;
    this.abort = work.cancel;
    const ctx = withValue(intake.ctx, workContext, work.ctx);
    this.stopped = Promise.all(this.#services.map((service) => service.run(ctx))).then(() => {});
    this.stopped.catch(() => {});
    onTestFinished(async () => {
      this.abort();
      await this.stop().catch(() => {});
    });
  }

  stop(): Promise<void> {
    this.#stop();
    return this.stopped;
  }

  caughtUp(name = 'tea.cups'): Promise<void> {
    return this.consumers.caughtUp(background, name);
  }
}

function containerOf(conn: Conn, consumers: readonly Consumer[]): Container {
  const container = new Container();
  container.load(consumersModule);
  container.bind(Conn).toConstantValue(conn);
  for (const consumer of consumers) container.bind(Consumer).toConstantValue(consumer);
  return container;
}

const fill = (conn: Conn, guest: string, cups: number) =>
  conn.publish(background, `tea.${guest}`, newEvent(CupFilled, { guest, cups }));

describe.each(['memory', 'SQLite'])('consumers of a log in %s', (backend) => {
  let url: string;
  let conn: Conn;
  let folder: string;
  const warn = vi.fn();
  const info = vi.fn();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
    url = backend === 'memory' ? `memory:${randomUUID()}` : `sqlite:${join(folder, 'events.db')}`;
    warn.mockClear();
    info.mockClear();
    conn = await connect(url, { logger: { debug: vi.fn(), info, warn, error: vi.fn() } });
  });
  afterEach(async () => {
    await conn.close();
    rmSync(folder, { recursive: true });
  });

  it('feed a projection with what was published before and is published now, which can be waited for', async () => {
    const cups = new Cups();
    await fill(conn, 'ann', 1);
    const server = new Serving(conn, consumer({ handle: cups.handle }));
    await server.caughtUp();
    expect(cups.byGuest).toEqual(new Map([['ann', 1]]));
    const id = await fill(conn, 'bob', 2);
    await fill(conn, 'ann', 3);
    await server.consumers.caughtUp(background, 'tea.cups', id);
    expect(cups.byGuest.get('bob')).toBe(2);
    await server.caughtUp();
    expect(cups.byGuest).toEqual(
      new Map([
        ['ann', 4],
        ['bob', 2],
      ]),
    );
    await server.stop();
  });

  it('go on after a restart where they stopped', async () => {
    const [before, after] = [new Cups(), new Cups()];
    const server = new Serving(conn, consumer({ handle: before.handle }));
    for (let n = 0; n < 5; n++) await fill(conn, 'ann', 1);
    await server.caughtUp();
    await server.stop();
    for (let n = 0; n < 5; n++) await fill(conn, 'ann', 1);
    await new Serving(conn, consumer({ handle: after.handle })).caughtUp();
    expect([before.byGuest.get('ann'), after.byGuest.get('ann')]).toEqual([5, 5]);
  });

  it('do not see the events that they do not handle, unless they handle all', async () => {
    const [cups, all] = [new Cups(), [] as string[]];
    const every = {
      name: 'tea.all',
      events: 'all',
      handle: (_: Context, { type }: Event) => void all.push(type),
    } as const;
    const server = new Serving(conn, consumer({ handle: cups.handle }), consumer(every));
    await conn.publish(background, 'tea.ann', newEvent(CupBroken, { guest: 'ann' }));
    await conn.publish(background, 'tea.ann', { type: 'tea.Unheard' });
    await fill(conn, 'ann', 1);
    await Promise.all([server.caughtUp(), server.caughtUp('tea.all')]);
    expect(cups.handled.map(({ type }) => type)).toEqual([CupFilled.name]);
    expect(all).toEqual([CupBroken.name, 'tea.Unheard', CupFilled.name]);
  });

  it('get an event again that they failed with, and the failure is logged', async () => {
    const cups = new Cups();
    const failing = (ctx: Context, event: Event) => {
      if (event.deliveries < 3) throw new Error('spilt');
      cups.handle(ctx, event);
    };
    const server = new Serving(conn, consumer({ handle: failing }));
    await fill(conn, 'ann', 1);
    await server.caughtUp();
    expect(cups.byGuest.get('ann')).toBe(1);
    const fields = { subscription: 'tea.cups', type: CupFilled.name, err: new Error('spilt') };
    expect(warn.mock.calls.map(([, shown]) => shown)).toEqual(
      [1, 2].map((attempt) => expect.objectContaining({ ...fields, attempt })),
    );
  });

  it('handle under a context that knows the event', async () => {
    const handle = async (ctx: Context, event: Event) => {
      expect(ctx.value(handledEvent)?.id).toBe(event.id);
      await conn.publish(ctx, 'spilt', newEvent(CupBroken, { guest: 'ann' }));
    };
    const server = new Serving(conn, consumer({ handle }));
    const id = await fill(conn, 'ann', 1);
    await server.caughtUp();
    const causes: unknown[] = [];
    for await (const { cause } of conn.read(background, 'spilt')) causes.push(cause);
    expect(causes).toEqual([id]);
  });

  it('finish what they are handling before the server has stopped, and take in nothing new', async () => {
    const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handled: number[] = [];
    const handle = async (ctx: Context, event: Event) => {
      started.resolve();
      await release.promise;
      if (!ctx.signal.aborted) handled.push(dataOf(CupFilled, event).cups);
    };
    const server = new Serving(conn, consumer({ handle, options: { backfill: true, serial: true } }));
    await fill(conn, 'ann', 1);
    await fill(conn, 'ann', 2);
    await started.promise;
    const [stopping, waiting] = [server.stop(), server.caughtUp()];
    await expect(waiting).rejects.toMatchObject({ id: 'eda.closed' });
    expect(handled).toEqual([]);
    release.resolve();
    await stopping;
    expect(handled).toEqual([1]);
    await expect(server.caughtUp()).rejects.toMatchObject({ id: 'eda.closed' });
    await new Serving(conn, consumer({ handle, options: { backfill: true, serial: true } })).caughtUp();
    expect(handled).toEqual([1, 2]);
  });

  it('are cancelled when the time to finish is over', async () => {
    const started = Promise.withResolvers<void>();
    const handle = (ctx: Context) => {
      started.resolve();
      return new Promise<void>((_, reject) =>
        ctx.signal.addEventListener('abort', () => reject(new Error('cancelled'))),
      );
    };
    const server = new Serving(conn, consumer({ handle }));
    await fill(conn, 'ann', 1);
    await started.promise;
    const stopping = server.stop();
    expect(await Promise.race([stopping.then(() => 'stopped'), fill(conn, 'bob', 1).then(() => 'going')])).toBe(
      'going',
    );
    server.abort();
    await stopping;
    const again = new Cups();
    await new Serving(conn, consumer({ handle: again.handle })).caughtUp();
    expect(again.byGuest.get('ann')).toBe(1);
  });

  it('need not be there at all', async () => {
    const server = new Serving(conn);
    await expect(server.caughtUp()).rejects.toMatchObject({ id: 'eda.consumerNotFound' });
    await server.stop();
  });

  it('stop the server when a subscription is refused, which names the consumer', async () => {
    const first = new Serving(conn, consumer({}));
    await first.caughtUp();
    await first.stop();
    const second = new Serving(conn, consumer({ name: 'tea.other' }), consumer({ selector: 'tea.ann' }));
    const waiting = expect(second.caughtUp('tea.other')).rejects.toMatchObject({ id: 'eda.closed' });
    await expect(second.stopped).rejects.toMatchObject({
      id: 'eda.consumerRefused',
      status: 'invalid_argument',
      message: expect.stringMatching(/^consumer tea\.cups cannot be started: selector is tea\.\* in the stored/),
    });
    await waiting;
    // Whatever was open is closed: another server can be active at once.
    await new Serving(conn, consumer({ name: 'tea.other', selector: 'tea.*' })).caughtUp('tea.other');
  });

  it('refuse to share a name', () => {
    const container = containerOf(conn, [consumer({}), consumer({ selector: 'tea.ann' })]);
    expect(() => container.getAll(BackgroundService)).toThrow(expect.objectContaining({ id: 'eda.duplicateConsumer' }));
  });

  it('are waited for until the context of whoever waits is done', async () => {
    const never = containerOf(conn, [consumer({})]).get(Consumers);
    using scope = withCancel(background);
    const waiting = never.caughtUp(scope.ctx, 'tea.cups');
    scope.cancel();
    await expect(waiting).rejects.toMatchObject({ id: 'context.canceled' });
    await expect(never.caughtUp(scope.ctx, 'tea.cups')).rejects.toMatchObject({ id: 'context.canceled' });
    using timeout = withTimeout(background, 1);
    await expect(never.caughtUp(timeout.ctx, 'x')).rejects.toMatchObject({ id: 'context.deadlineExceeded' });
  });

  it('say at info which options are not as they were stored', async () => {
    const run = async (options: Consumer['options']) => {
      const server = new Serving(conn, consumer({ options }));
      await server.caughtUp();
      await server.stop();
    };
    await run({ backfill: true });
    await run({ backfill: true });
    expect(info).not.toHaveBeenCalled();
    await run({ backfill: true, serial: true, timeout: 5000 });
    expect(info.mock.calls).toEqual([
      [
        'a subscription goes on with other options',
        {
          subscription: 'tea.cups',
          changed: {
            serial: { from: false, to: true },
            concurrency: { from: 64, to: 1 },
            timeout: { from: 30_000, to: 5000 },
          },
        },
      ],
    ]);
    await run({ backfill: true, serial: true, timeout: 5000 });
    expect(info).toHaveBeenCalledTimes(1);
  });
});
