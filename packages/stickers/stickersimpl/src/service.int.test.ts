import { background, withTimeout } from '@samovar/context';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { dataOf, type Event } from '@samovar/eda';
import { StickersSent, stickersOf } from '@samovar/stickers';
import { freshCount, stickersContract } from '@samovar/stickerstest/contract';
import { expect, it } from 'vitest';
import { eventsOf, open, startStickers } from '../testing.ts';

const sent = (event: Event) => dataOf(StickersSent, event);

describeOnDatabases(open, (name, fresh) => {
  const start = async () => startStickers(await fresh());

  stickersContract(`StickersService on ${name}`, start);

  it('has what a user was sent on a stream of its own, in the order in which it was sent', async () => {
    await using running = await start();
    const { stickers, outbox, conn } = running;
    const users = ['ann', 'a.b', 'a~2Eb', 'ü/*>', 'ann2'];
    for (let count = 1; count <= 10; count++) {
      for (const userId of users) await stickers.sendStickers(background, { userId, count });
    }
    await outbox.flushed(background);
    for (const userId of users) {
      const events = await eventsOf(conn, stickersOf(userId));
      expect(events.map(sent)).toEqual(Array.from({ length: 10 }, (_, i) => ({ userId, count: i + 1 })));
      for (const { type, schema, meta } of events) {
        expect({ type, schema }).toEqual({ type: 'stickers.StickersSent', schema: '1' });
        expect(meta.outbox).toMatch(/^[0-9a-f-]{36}$/);
      }
    }
    expect(await eventsOf(conn, 'stickers.*')).toHaveLength(50);
    expect(new Set(users.map(stickersOf)).size).toBe(users.length);
  });

  it('leaves no event behind when a listener fails', async () => {
    await using running = await start();
    const { stickers, bus, outbox, conn } = running;
    const failing = bus.addEventListener(StickersSent, () => {
      throw new Error('a listener fails');
    });
    const attempt = stickers.sendStickers(background, { userId: 'ann', count: 1 });
    await expect(attempt).rejects.toThrow('a listener fails');
    expect(await outbox.getStatus(background, {})).toEqual({ waiting: 0, stuck: 0, skipped: 0, oldest: null });
    failing[Symbol.dispose]();
    await stickers.sendStickers(background, { userId: 'ann', count: 2 });
    expect(await freshCount(stickers)).toBe(2);
    expect((await eventsOf(conn, stickersOf('ann'))).map(sent)).toEqual([{ userId: 'ann', count: 2 }]);
  });

  it('waits to be fresh for as long as the context lasts', async () => {
    await using running = await start();
    const { stickers, conn } = running;
    await conn.close();
    await stickers.sendStickers(background, { userId: 'ann', count: 1 });
    using scope = withTimeout(background, 50);
    const asked = stickers.getStickerCount(scope.ctx, { userId: 'ann', fresh: true });
    await expect(asked).rejects.toMatchObject({ status: 'deadline_exceeded' });
    expect(await stickers.getStickerCount(background, { userId: 'ann' })).toBe(0);
  });
});
