import { BadgeAwarded } from '@samovar/badges';
import { type BadgesUnderTest, badgesContract } from '@samovar/badgestest/contract';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { connect, migrate } from '@samovar/dbimpl';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { StickersSent } from '@samovar/stickers';
import { expect, it } from 'vitest';
import { badgesMigrations } from './migrations.ts';
import { BadgesService } from './service.ts';
import { sqlBadgeStore } from './store.ts';

async function open(url: string) {
  const db = connect(url, () => {});
  await migrate(background, db, [badgesMigrations]);
  return db;
}

describeOnDatabases(open, (name, fresh) => {
  const make = async (): Promise<BadgesUnderTest> => {
    const place = await fresh();
    const bus = new FakeBus({ db: place.db });
    const badges = new BadgesService(bus, sqlBadgeStore(place.db));
    badges.init();
    return { badges, bus, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  };

  badgesContract(`BadgesService on ${name}`, make);

  it('shows badges to the transaction that earns them, and to nobody else before its commit', async () => {
    await using made = await make();
    const { badges, bus } = made;
    const awarded: string[] = [];
    bus.addEventListener(BadgeAwarded, (_ctx, { badge }) => void awarded.push(badge));
    await bus.inTransaction(background, async (ctx) => {
      for (const count of [5, 5]) await bus.publish(ctx, StickersSent, { userId: 'ann', count });
      expect(await badges.listBadges(ctx, { userId: 'ann' })).toEqual(['bronze', 'silver']);
      expect(await badges.listBadges(background, { userId: 'ann' })).toEqual([]);
    });
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze', 'silver']);
    expect(awarded).toEqual(['bronze', 'silver']);
  });

  it('awards each badge once, however many send at once', async () => {
    await using made = await make();
    const { badges, bus } = made;
    const awarded: string[] = [];
    bus.addEventListener(BadgeAwarded, (_ctx, { badge }) => void awarded.push(badge));
    const sendings = Array.from({ length: 20 }, () =>
      bus.publish(background, StickersSent, { userId: 'ann', count: 5 }),
    );
    await Promise.all(sendings);
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze', 'silver', 'gold']);
    expect(awarded).toEqual(['bronze', 'silver', 'gold']);
  });

  // SQLite's transactions do not overlap.
  if (name === 'PostgreSQL') {
    it('awards for two overlapping sendings together, and nothing for a third that rolls back', async () => {
      await using made = await make();
      const { badges, bus } = made;
      const { promise: allBegun, resolve } = Promise.withResolvers<void>();
      let begun = 0;
      const send = (fails: boolean) =>
        bus.inTransaction(background, async (ctx) => {
          if (++begun === 3) resolve();
          await allBegun;
          await bus.publish(ctx, StickersSent, { userId: 'ann', count: 5 });
          if (fails) throw new Error('rolled back');
        });
      const outcomes = await Promise.allSettled([send(false), send(true), send(false)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze', 'silver']);
      await bus.publish(background, StickersSent, { userId: 'ann', count: 89 });
      expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze', 'silver']);
      await bus.publish(background, StickersSent, { userId: 'ann', count: 1 });
      expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze', 'silver', 'gold']);
    });
  }
});
