import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { FlushInTransactionError } from '@samovar/outbox';
import { GetStickerCountQuery, SendStickersCommand, type Stickers, StickersSent } from '@samovar/stickers';

/** Stickers in memory, answering on `bus` too. They count at the commit: nobody has to wait for a count to be fresh. */
export class FakeStickers implements Stickers {
  readonly #bus: Bus;
  readonly #counts = new Map<string, number>();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.addHandler(SendStickersCommand, (ctx, command) => this.sendStickers(ctx, command));
    bus.addHandler(GetStickerCountQuery, (ctx, query) => this.getStickerCount(ctx, query));
    bus.addEventListener(StickersSent, (ctx, sent) => bus.afterCommit(ctx, () => this.#add(sent)));
  }

  async sendStickers(ctx: Context, command: SendStickersCommand): Promise<void> {
    await this.#bus.publish(ctx, StickersSent, SendStickersCommand.parse(command));
  }

  async getStickerCount(ctx: Context, query: GetStickerCountQuery): Promise<number> {
    const { userId, fresh } = GetStickerCountQuery.parse(query);
    if (fresh && this.#bus.isInTransaction(ctx)) throw new FlushInTransactionError();
    return this.#countOf(userId);
  }

  #add({ userId, count }: StickersSent): void {
    this.#counts.set(userId, this.#countOf(userId) + count);
  }

  #countOf(userId: string): number {
    return this.#counts.get(userId) ?? 0;
  }
}
