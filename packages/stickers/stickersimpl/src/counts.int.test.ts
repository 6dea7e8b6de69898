import { background, type Context } from '@samovar/context';
import { migrate } from '@samovar/dbimpl';
import type { FreshDb } from '@samovar/dbtest';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { type Conn, type Event, type EventId, newEvent } from '@samovar/eda';
import { connect as connectLog } from '@samovar/edaimpl';
import { InvalidMessageError } from '@samovar/message';
import { StickersSent, stickersOf } from '@samovar/stickers';
import { expect, it } from 'vitest';
import { eventsOf, open } from '../testing.ts';
import { StickerCounts } from './counts.ts';
import { stickersMigrations } from './migrations.ts';
import { type CountStore, sqlCountStore } from './store.ts';

interface Counting extends AsyncDisposable {
  readonly store: CountStore;
  readonly counts: StickerCounts;
  readonly conn: Conn;
}

async function startCounting(place: FreshDb): Promise<Counting> {
  await migrate(background, place.db, [stickersMigrations]);
  const store = sqlCountStore(place.db);
  const conn = await connectLog('memory:', { logger: null });
  return {
    store,
    counts: new StickerCounts(store),
    conn,
    async [Symbol.asyncDispose]() {
      await conn.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function publish(conn: Conn, userId: string, ...counts: readonly number[]): Promise<readonly Event[]> {
  for (const count of counts) {
    await conn.publish(background, stickersOf(userId), newEvent(StickersSent, { userId, count }));
  }
  return await eventsOf(conn, stickersOf(userId));
}

/** Hands over what the consumer is to follow, until it is through. */
async function consume({ conn, counts }: Counting, handle: (ctx: Context, event: Event) => Promise<void>) {
  const options = { ...counts.options, name: counts.name, durable: true };
  await using subscription = await conn.subscribe(counts.selector, handle, options);
  await subscription.caughtUp(background);
}

describeOnDatabases(open, (_, fresh) => {
  it('counts an event once, however often it comes', async () => {
    await using counting = await startCounting(await fresh());
    const { counts, store, conn } = counting;
    const events = await publish(conn, 'ann', 1, 10, 100);
    for (const event of [...events, ...events]) await counts.handle(background, event);
    expect(await store.get(background, 'ann')).toBe(111);
  });

  it('counts an event once that comes twice at the same time', async () => {
    await using counting = await startCounting(await fresh());
    const { counts, store, conn } = counting;
    const [event] = (await publish(conn, 'ann', 7)) as [Event];
    await Promise.all(Array.from({ length: 8 }, () => counts.handle(background, event)));
    expect(await store.get(background, 'ann')).toBe(7);
  });

  it('counts what it was interrupted at once: after it was counted, and before', async () => {
    await using counting = await startCounting(await fresh());
    const { counts, store, conn } = counting;
    await publish(conn, 'ann', 1, 10, 100);
    const deliveries: number[] = [];
    await consume(counting, async (ctx, event) => {
      const isFirst = event.deliveries === 1;
      deliveries.push(event.deliveries);
      if (isFirst && deliveries.length === 1) throw new Error('gone before it was counted');
      await counts.handle(ctx, event);
      if (isFirst) throw new Error('gone before it was acknowledged');
    });
    expect(deliveries).toEqual([1, 2, 1, 2, 1, 2]);
    expect(await store.get(background, 'ann')).toBe(111);
  });

  it('counts every user from the beginning of the log', async () => {
    await using counting = await startCounting(await fresh());
    const { counts, store, conn } = counting;
    for (const [userId, count] of [
      ['ann', 1],
      ['a.b', 2],
      ['ann', 4],
      ['ü', 8],
      ['a.b', 16],
    ] as const) {
      await publish(conn, userId, count);
    }
    await consume(counting, (ctx, event) => counts.handle(ctx, event));
    const found = await Promise.all(['ann', 'a.b', 'ü', 'ben'].map((userId) => store.get(background, userId)));
    expect(found).toEqual([5, 18, 8, undefined]);
  });

  it('takes ids in the order of their characters', async () => {
    await using counting = await startCounting(await fresh());
    const { store } = counting;
    const ids = ['0', '09', '0A', '0Y', '0Z', '1', '9', 'A', 'S', 'T', 'Z'] as string[] as EventId[];
    for (const id of ids) await store.add(background, 'ann', 1, id);
    expect(await store.get(background, 'ann')).toBe(ids.length);
    for (const id of ids) await store.add(background, 'ann', 1, id);
    expect(await store.get(background, 'ann')).toBe(ids.length);
  });

  it('refuses what is not as the event says, and counts nothing of it', async () => {
    await using counting = await startCounting(await fresh());
    const { counts, store, conn } = counting;
    const [event] = (await publish(conn, 'ann', 7)) as [Event];
    const odd: Event = { ...event, data: event.data, schema: '2', is: () => true };
    await expect(counts.handle(background, odd)).rejects.toThrow(InvalidMessageError);
    expect(await store.get(background, 'ann')).toBeUndefined();
  });
});
