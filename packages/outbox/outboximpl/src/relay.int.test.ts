import { background as ctx, withCancel, withValue } from '@samovar/context';
import type { Db } from '@samovar/db';
import { type FreshDb, freshSqlite } from '@samovar/dbtest';
import { type Conn, Data, type EventId, handledEvent } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetful, keepingLogger, numbered, numbers, openDb, publishing, TestOutbox } from '../testing.ts';
import { OutboxCheck } from './check.ts';
import { SqlQueue } from './queue.ts';

let opened: FreshDb<Db & AsyncDisposable>;
let conn: Conn;

beforeEach(async () => {
  opened = await freshSqlite(openDb);
  conn = await connect('memory:');
});
afterEach(async () => {
  await conn.close();
  await opened[Symbol.asyncDispose]();
});

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function addAll(test: TestOutbox, stream: string, all: readonly number[]): Promise<void> {
  for (const n of all) await test.outbox.add(ctx, stream, numbered(n));
}

describe('what was published without an answer', () => {
  it('is found on its stream, and not published again', async () => {
    let lost = 0;
    const deaf = publishing(forgetful(conn), async (real, ...args) => {
      const id = await real(...args);
      if (lost++ % 3 === 0) throw new Error('the answer was lost');
      return id;
    });
    await using test = new TestOutbox(opened.db, deaf).start();
    await addAll(test, 's', range(10));
    await test.outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual(range(10));
  });

  it('is found behind what others have published since', async () => {
    const deaf = publishing(forgetful(conn), async (real, ...args) => {
      await real(...args);
      for (const n of range(1_500)) await conn.publish(ctx, 's', numbered(100 + n));
      throw new Error('the answer was lost');
    });
    {
      await using test = new TestOutbox(opened.db, deaf).start();
      await addAll(test, 's', [1, 2]);
      await vi.waitUntil(async () => (await test.outbox.getStatus(ctx, {})).stuck === 1);
    }
    await using test = new TestOutbox(opened.db, forgetful(conn)).start();
    await test.outbox.flushed(ctx);
    expect((await numbers(conn, 's')).filter((n) => n < 100)).toEqual([1, 2]);
  });

  it('is looked for in the whole stream of a log that was put in place of the one it was sent to', async () => {
    const deaf = publishing(conn, () => Promise.reject(new Error('no')));
    await conn.publish(ctx, 's', numbered(0));
    {
      await using test = new TestOutbox(opened.db, deaf).start();
      await addAll(test, 's', [1, 2]);
      await vi.waitUntil(async () => (await test.outbox.getStatus(ctx, {})).stuck === 1);
    }
    await using copy = await connect('memory:');
    await using test = new TestOutbox(opened.db, copy);
    const [row] = await test.outbox.listRows(ctx, { state: 'stuck' });
    await copy.publish(ctx, 's', { ...numbered(1), meta: { outbox: row?.id ?? '' } });
    await copy.publish(ctx, 's', numbered(7));
    test.start();
    await test.outbox.flushed(ctx);
    expect(await numbers(copy, 's')).toEqual([1, 7, 2]);
  });

  it('is not published again by a relay that was held up before it published', async () => {
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const left: Promise<EventId>[] = [];
    // As held up in the middle of it, where no clock is looked at any more.
    const heldUp = publishing(forgetful(conn), async (real, _, ...args) => {
      arrived.resolve();
      await gate.promise;
      left.push(real(ctx, ...args));
      return (await left.at(-1)) as EventId;
    });
    await using test = new TestOutbox(opened.db, heldUp, { leaseMs: 60_000 }).start();
    await addAll(test, 's', [1, 2]);
    await arrived.promise;
    const queue = new SqlQueue(opened.db);
    expect(await queue.takeLease(ctx, await queue.lease(ctx), 'somebody')).toBe(true);
    await queue.freeLease(ctx, { ...(await queue.lease(ctx)), owner: 'somebody', renewed() {} });
    await using other = new TestOutbox(opened.db, forgetful(conn)).start();
    await other.outbox.flushed(ctx);
    gate.resolve();
    await vi.waitUntil(() => left.length > 0);
    await Promise.allSettled(left);
    await addAll(other, 's', [3]);
    await other.outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual([1, 2, 3]);
  });
});

describe('a stream that hangs or refuses', () => {
  it('delays no other', async () => {
    const hanging = publishing(conn, (real, ctx, stream, ...rest) =>
      stream === 'a' ? new Promise(() => {}) : real(ctx, stream, ...rest),
    );
    const work = withCancel(ctx);
    await using test = new TestOutbox(opened.db, hanging, { leaseMs: 5_000 }).start(work.ctx);
    await addAll(test, 'a', range(3));
    for (const n of range(20)) {
      await addAll(test, 'b', [n]);
      await test.outbox.flushed(ctx, 'b');
    }
    expect(await numbers(conn, 'b')).toEqual(range(20));
    work.cancel();
  });

  it('is told of in the log when that begins and when it ends, not in between', async () => {
    const logger = keepingLogger();
    let refusals = 0;
    const refusing = publishing(conn, (real, ...args) =>
      ++refusals <= 4 ? Promise.reject(new Error('s3cret')) : real(...args),
    );
    await using test = new TestOutbox(opened.db, refusing, { logger }).start();
    await addAll(test, 's', range(3));
    const [row] = await vi.waitUntil(async () => {
      const rows = await test.outbox.listRows(ctx, { state: 'stuck' });
      return rows.length > 0 && rows;
    });
    expect(row?.error).toBe("Error: the server's log says more");
    await test.outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual(range(3));
    expect(logger.lines).toEqual([
      'warn events cannot be sent to their streams; they are tried again',
      'info events are sent to their streams again',
    ]);
  });
});

describe('a row that can never be sent', () => {
  it('blocks its stream only, is seen, and can be skipped', async () => {
    await using foreign = await connect('memory:');
    const cause = await foreign.publish(ctx, 's', { type: 't' });
    await using test = new TestOutbox(opened.db, conn).start();
    const { outbox } = test;
    const check = new OutboxCheck(outbox);
    await addAll(test, 'a', [1]);
    await outbox.add(ctx, 'a', { ...numbered(2), cause });
    await addAll(test, 'a', [3, 4]);
    await addAll(test, 'b', range(5));
    await outbox.flushed(ctx, 'b');
    const [row] = await vi.waitUntil(async () => {
      const rows = await outbox.listRows(ctx, { state: 'stuck' });
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({ stream: 'a', error: expect.stringContaining('another log') });
    expect(await numbers(conn, 'a')).toEqual([1]);
    expect(await outbox.getStatus(ctx, {})).toMatchObject({ stuck: 1, waiting: 2 });
    expect(await check.check(ctx)).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringContaining('a waits since'),
        mend: expect.stringContaining(row?.id ?? ''),
      },
    ]);
    // By another process, which this one is not told of.
    await new TestOutbox(opened.db, conn).outbox.skipRow(ctx, { id: row?.id ?? '' });
    await outbox.flushed(ctx);
    expect(await numbers(conn, 'a')).toEqual([1, 3, 4]);
    expect(await check.check(ctx)).toMatchObject([
      { severity: 'warning', message: 'outbox: 1 event skipped by an operator, and on no stream' },
    ]);
  });

  it('is an error of the check when it is older than five minutes, as what waits for a minute is a warning', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const refusing = publishing(conn, () => Promise.reject(new Error('no')));
      await using test = new TestOutbox(opened.db, refusing);
      const check = new OutboxCheck(test.outbox);
      await addAll(test, 'a', [1, 2]);
      expect(await check.check(ctx)).toEqual([]);
      vi.setSystemTime(Date.now() + 61_000);
      expect(await check.check(ctx)).toMatchObject([{ severity: 'warning' }]);
      test.start();
      await vi.waitUntil(async () => (await test.outbox.getStatus(ctx, {})).stuck === 1);
      expect(await check.check(ctx)).toMatchObject([{ severity: 'warning' }, { severity: 'warning' }]);
      vi.setSystemTime(Date.now() + 300_000);
      expect(await check.check(ctx)).toMatchObject([{ severity: 'error' }, { severity: 'warning' }]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('much at once', () => {
  it('of many streams that other processes have added to is sent, each stream in order', async () => {
    const other = new TestOutbox(opened.db, conn);
    await opened.db.inTransaction(ctx, async (ctx) => {
      for (const n of range(3)) for (const s of range(1_200)) await other.outbox.add(ctx, `s.${s}`, numbered(n));
    });
    await using test = new TestOutbox(opened.db, conn).start();
    await test.outbox.flushed(ctx);
    for (const s of [0, 599, 1_199]) expect(await numbers(conn, `s.${s}`)).toEqual(range(3));
    expect((await numbers(conn, 's.*')).length).toBe(3_600);
  });

  it('of one stream is sent in order, also what is more than is loaded at once', async () => {
    const test = new TestOutbox(opened.db, conn);
    const large = Data.string('x'.repeat(7_000_000));
    for (const n of range(4)) {
      await test.outbox.add(ctx, 'large', { ...numbered(n), data: large, meta: { n: String(n) } });
      await test.outbox.add(ctx, 'other', { ...numbered(n), data: large });
    }
    await opened.db.inTransaction(ctx, async (ctx) => {
      for (const n of range(450)) await test.outbox.add(ctx, 'many', numbered(n));
    });
    await using _ = test.start();
    await test.outbox.flushed(ctx);
    expect(await numbers(conn, 'many')).toEqual(range(450));
    const found: string[] = [];
    for await (const { meta } of conn.read(ctx, 'large')) found.push(meta.n ?? '');
    expect(found).toEqual(['0', '1', '2', '3']);
  });
});

describe('a shutdown', () => {
  it('finishes what is under way, takes in nothing new, and gives up the lease', async () => {
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const slow = publishing(conn, async (real, ...args) => {
      arrived.resolve();
      await gate.promise;
      return real(...args);
    });
    const intake = withCancel(ctx);
    const test = new TestOutbox(opened.db, slow, { leaseMs: 5_000 });
    const running = test.relay.run(intake.ctx);
    await addAll(test, 'a', [1]);
    await arrived.promise;
    intake.cancel();
    await addAll(test, 'b', [2]);
    gate.resolve();
    await running;
    expect(await numbers(conn, 'a')).toEqual([1]);
    expect(await test.outbox.listRows(ctx, { state: 'waiting' })).toMatchObject([{ stream: 'b', attempts: 0 }]);
    expect(await new SqlQueue(opened.db).lease(ctx)).toMatchObject({ owner: null });
  });
});

it('publishes as nobody’s handler: what it sends has the cause of its own time', async () => {
  await using test = new TestOutbox(opened.db, conn);
  const id = await conn.publish(ctx, 'a', { type: 't' });
  for await (const event of conn.read(ctx, 'a'))
    await test.outbox.add(withValue(ctx, handledEvent, event), 's', numbered(1));
  test.start();
  await test.outbox.flushed(ctx);
  for await (const { cause, meta } of conn.read(ctx, 's')) expect([cause, meta.correlation]).toEqual([id, id]);
});
