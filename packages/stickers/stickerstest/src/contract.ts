import type { Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { FlushInTransactionError } from '@samovar/outbox';
import { GetStickerCountQuery, SendStickersCommand, type Stickers, StickersSent } from '@samovar/stickers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** A Stickers that nobody has sent any with, and the bus that it answers and publishes on. */
export interface StickersUnderTest extends AsyncDisposable {
  readonly stickers: Stickers;
  readonly bus: Bus;
}

type UnderTest = () => StickersUnderTest;

/** The promises of {@link Stickers}, as a vitest suite. `make` makes what each test works on. */
export function stickersContract(name: string, make: () => Promise<StickersUnderTest>): void {
  describe(`${name} as Stickers`, () => {
    let current: StickersUnderTest;
    beforeEach(async () => {
      current = await make();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    counting(underTest);
    transactions(underTest);
    messages(underTest);
  });
}

/** What counts when everything that was sent does. */
export function freshCount(stickers: Stickers, userId = 'ann'): Promise<number> {
  return stickers.getStickerCount(background, { userId, fresh: true });
}

function counting(underTest: UnderTest): void {
  it('counts what was sent before, if that is asked for', async () => {
    const { stickers } = underTest();
    expect(await freshCount(stickers)).toBe(0);
    for (const [index, count] of [1, 1_000, 1].entries()) {
      await stickers.sendStickers(background, { userId: 'ann', count });
      expect(await freshCount(stickers)).toBe([1, 1_001, 1_002][index]);
    }
  });

  it('counts what was sent in the end', async () => {
    const { stickers } = underTest();
    expect(await stickers.getStickerCount(background, { userId: 'ann' })).toBe(0);
    for (const count of [3, 4]) await stickers.sendStickers(background, { userId: 'ann', count });
    await vi.waitFor(async () => expect(await stickers.getStickerCount(background, { userId: 'ann' })).toBe(7), {
      timeout: 10_000,
    });
  });

  it('counts what many send at once', async () => {
    const { stickers } = underTest();
    const sendings = Array.from({ length: 20 }, (_, i) =>
      stickers.sendStickers(background, { userId: i % 2 === 0 ? 'ann' : 'ben', count: i + 1 }),
    );
    await Promise.all(sendings);
    expect(await freshCount(stickers, 'ann')).toBe(100);
    expect(await freshCount(stickers, 'ben')).toBe(110);
  });

  it('keeps users apart, whatever they are called', async () => {
    const { stickers } = underTest();
    const users = ['a', 'A', 'a.b', 'a.', 'a~', 'ü/*>', '>', ' ', '大'.repeat(26), '😀'.repeat(20), 'x'.repeat(80)];
    for (const [i, userId] of users.entries()) await stickers.sendStickers(background, { userId, count: i + 1 });
    for (const [i, userId] of users.entries()) expect(await freshCount(stickers, userId)).toBe(i + 1);
  });
}

function transactions(underTest: UnderTest): void {
  it('tells listeners in the transaction', async () => {
    const { stickers, bus } = underTest();
    const seen = vi.fn();
    const committed = vi.fn();
    bus.addEventListener(StickersSent, (ctx, sent) => {
      bus.afterCommit(ctx, committed);
      seen(sent);
      expect(committed).not.toHaveBeenCalled();
    });
    await stickers.sendStickers(background, { userId: 'ann', count: 2 });
    expect(seen.mock.calls).toEqual([[{ userId: 'ann', count: 2 }]]);
    expect(committed).toHaveBeenCalledOnce();
  });

  it('sends nothing when a listener fails', async () => {
    const { stickers, bus } = underTest();
    await stickers.sendStickers(background, { userId: 'ann', count: 1 });
    const failing = bus.addEventListener(StickersSent, () => {
      throw new Error('a listener fails');
    });
    const attempt = stickers.sendStickers(background, { userId: 'ann', count: 10 });
    await expect(attempt).rejects.toThrow('a listener fails');
    expect(await freshCount(stickers)).toBe(1);
    failing[Symbol.dispose]();
    await stickers.sendStickers(background, { userId: 'ann', count: 100 });
    expect(await freshCount(stickers)).toBe(101);
  });

  it('sends nothing in a transaction that rolls back', async () => {
    const { stickers, bus } = underTest();
    const attempt = bus.inTransaction(background, async (ctx) => {
      await stickers.sendStickers(ctx, { userId: 'ann', count: 1 });
      throw new Error('rolled back');
    });
    await expect(attempt).rejects.toThrow('rolled back');
    expect(await freshCount(stickers)).toBe(0);
  });

  it('sends at the commit what was sent in a transaction', async () => {
    const { stickers, bus } = underTest();
    await bus.inTransaction(background, async (ctx) => {
      for (const count of [1, 2]) await stickers.sendStickers(ctx, { userId: 'ann', count });
      expect(await stickers.getStickerCount(ctx, { userId: 'ann' })).toBe(0);
    });
    expect(await freshCount(stickers)).toBe(3);
  });

  it('cannot be fresh inside of a transaction', async () => {
    const { stickers, bus } = underTest();
    const attempt = bus.inTransaction(background, async (ctx) => {
      await stickers.sendStickers(ctx, { userId: 'ann', count: 1 });
      return await stickers.getStickerCount(ctx, { userId: 'ann', fresh: true });
    });
    await expect(attempt).rejects.toThrow(FlushInTransactionError);
  });
}

function messages(underTest: UnderTest): void {
  it.each([
    {},
    { userId: '', count: 1 },
    { userId: 'x'.repeat(81), count: 1 },
    { userId: '大'.repeat(27), count: 1 },
    { userId: 'a\0', count: 1 },
    { userId: '\ud800', count: 1 },
    { userId: 7, count: 1 },
  ])('refuses %j', async (args) => {
    const { stickers } = underTest();
    const { userId } = args;
    await expect(stickers.sendStickers(background, args as never)).rejects.toThrow(InvalidMessageError);
    await expect(stickers.getStickerCount(background, { userId } as never)).rejects.toThrow(InvalidMessageError);
  });

  it.each([0, -1, 0.5, 1_001, '1'])('refuses to send %j stickers', async (count) => {
    const { stickers } = underTest();
    const attempt = stickers.sendStickers(background, { userId: 'ann', count } as never);
    await expect(attempt).rejects.toThrow(InvalidMessageError);
  });

  it('answers on the bus', async () => {
    const { bus } = underTest();
    await bus.dispatch(background, SendStickersCommand, { userId: 'ann', count: 2 });
    expect(await bus.dispatch(background, GetStickerCountQuery, { userId: 'ann', fresh: true })).toBe(2);
  });
}
