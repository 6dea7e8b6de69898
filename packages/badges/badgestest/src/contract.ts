import { BadgeAwarded, type Badges, ListBadgesQuery } from '@samovar/badges';
import type { Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { StickersSent } from '@samovar/stickers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** A Badges that has awarded none, and the bus that it answers, listens and publishes on. */
export interface BadgesUnderTest extends AsyncDisposable {
  readonly badges: Badges;
  readonly bus: Bus;
}

type UnderTest = () => BadgesUnderTest;

/** The promises of {@link Badges}, as a vitest suite. `make` makes what each test works on. */
export function badgesContract(name: string, make: () => Promise<BadgesUnderTest>): void {
  describe(`${name} as Badges`, () => {
    let current: BadgesUnderTest;
    beforeEach(async () => {
      current = await make();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    awarding(underTest);
    transactions(underTest);
    messages(underTest);
  });
}

function awarding(underTest: UnderTest): void {
  it.each([
    { sent: [], badges: [] },
    { sent: [1], badges: ['bronze'] },
    { sent: [9], badges: ['bronze'] },
    { sent: [9, 1], badges: ['bronze', 'silver'] },
    { sent: [99], badges: ['bronze', 'silver'] },
    { sent: [100], badges: ['bronze', 'silver', 'gold'] },
    { sent: [1, 1, 98, 1_000], badges: ['bronze', 'silver', 'gold'] },
  ])('awards for $sent stickers $badges', async ({ sent, badges: expected }) => {
    const { badges, bus } = underTest();
    for (const count of sent) await bus.publish(background, StickersSent, { userId: 'ann', count });
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(expected);
  });

  it('tells of each badge once, in their order', async () => {
    const { bus } = underTest();
    const awarded: string[] = [];
    bus.addEventListener(BadgeAwarded, (_ctx, { userId, badge }) => void awarded.push(`${userId}: ${badge}`));
    const send = (userId: string, count: number) => bus.publish(background, StickersSent, { userId, count });
    await send('ann', 1);
    await send('ben', 10);
    await send('ann', 1);
    await send('ann', 200);
    expect(awarded).toEqual(['ann: bronze', 'ben: bronze', 'ben: silver', 'ann: silver', 'ann: gold']);
  });

  it('keeps users apart', async () => {
    const { badges, bus } = underTest();
    for (const userId of ['ann', 'Ann', 'an', 'ü/*>']) {
      expect(await badges.listBadges(background, { userId })).toEqual([]);
      await bus.publish(background, StickersSent, { userId, count: 9 });
      expect(await badges.listBadges(background, { userId })).toEqual(['bronze']);
    }
  });
}

function transactions(underTest: UnderTest): void {
  it('tells of a badge in the transaction of the stickers, and has it after the commit', async () => {
    const { badges, bus } = underTest();
    const committed = vi.fn();
    bus.addEventListener(BadgeAwarded, (ctx) => {
      bus.afterCommit(ctx, committed);
      expect(committed).not.toHaveBeenCalled();
    });
    await bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, StickersSent, { userId: 'ann', count: 1 });
      expect(committed).not.toHaveBeenCalled();
    });
    expect(committed).toHaveBeenCalledOnce();
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze']);
  });

  it('awards nothing when the stickers are not sent', async () => {
    const { badges, bus } = underTest();
    const failing = bus.addEventListener(StickersSent, () => {
      throw new Error('a listener fails');
    });
    const send = (count: number) => bus.publish(background, StickersSent, { userId: 'ann', count });
    await expect(send(9)).rejects.toThrow('a listener fails');
    failing[Symbol.dispose]();
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual([]);
    await send(1);
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze']);
  });

  it('awards nothing in a transaction that rolls back', async () => {
    const { badges, bus } = underTest();
    const attempt = bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, StickersSent, { userId: 'ann', count: 100 });
      throw new Error('rolled back');
    });
    await expect(attempt).rejects.toThrow('rolled back');
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual([]);
  });

  it('lets nobody send stickers whose badge somebody refuses', async () => {
    const { badges, bus } = underTest();
    bus.addEventListener(BadgeAwarded, (_ctx, { badge }) => {
      if (badge === 'silver') throw new Error('no silver');
    });
    const send = (count: number) => bus.publish(background, StickersSent, { userId: 'ann', count });
    await expect(send(10)).rejects.toThrow('no silver');
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual([]);
    await send(9);
    expect(await badges.listBadges(background, { userId: 'ann' })).toEqual(['bronze']);
  });
}

function messages(underTest: UnderTest): void {
  it.each([{}, { userId: '' }, { userId: 'x'.repeat(81) }, { userId: 'a\0' }, { userId: 7 }])(
    'refuses %j',
    async (args) => {
      const { badges } = underTest();
      await expect(badges.listBadges(background, args as never)).rejects.toThrow(InvalidMessageError);
    },
  );

  it('answers on the bus', async () => {
    const { bus } = underTest();
    await bus.publish(background, StickersSent, { userId: 'ann', count: 1 });
    expect(await bus.dispatch(background, ListBadgesQuery, { userId: 'ann' })).toEqual(['bronze']);
  });
}
