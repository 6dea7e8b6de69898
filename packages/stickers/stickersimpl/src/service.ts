import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import type { Consumers } from '@samovar/eda';
import type { Outbox } from '@samovar/outbox';
import type { Initializer } from '@samovar/server';
import { GetStickerCountQuery, SendStickersCommand, type Stickers, StickersSent, stickersOf } from '@samovar/stickers';
import { stickerCounts } from './counts.ts';
import type { CountStore } from './store.ts';

/** Stickers that are events only; a projection counts them. */
export class StickersService implements Stickers, Initializer {
  readonly #bus: Bus;
  readonly #store: Pick<CountStore, 'get'>;
  readonly #outbox: Pick<Outbox, 'flushed'>;
  readonly #consumers: Consumers;

  constructor(bus: Bus, store: Pick<CountStore, 'get'>, outbox: Pick<Outbox, 'flushed'>, consumers: Consumers) {
    this.#bus = bus;
    this.#store = store;
    this.#outbox = outbox;
    this.#consumers = consumers;
  }

  init(): void {
    this.#bus.addHandler(SendStickersCommand, (ctx, command) => this.sendStickers(ctx, command));
    this.#bus.addHandler(GetStickerCountQuery, (ctx, query) => this.getStickerCount(ctx, query));
  }

  async sendStickers(ctx: Context, command: SendStickersCommand): Promise<void> {
    await this.#bus.publish(ctx, StickersSent, SendStickersCommand.parse(command));
  }

  async getStickerCount(ctx: Context, query: GetStickerCountQuery): Promise<number> {
    const { userId, fresh } = GetStickerCountQuery.parse(query);
    if (fresh) {
      await this.#outbox.flushed(ctx, stickersOf(userId));
      await this.#consumers.caughtUp(ctx, stickerCounts);
    }
    return (await this.#store.get(ctx, userId)) ?? 0;
  }
}
