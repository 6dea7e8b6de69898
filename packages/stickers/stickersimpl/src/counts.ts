import type { Context } from '@samovar/context';
import { type Consumer, dataOf, type Event } from '@samovar/eda';
import { StickersSent } from '@samovar/stickers';
import type { CountStore } from './store.ts';

/** The name of {@link StickerCounts}, to wait for it. */
export const stickerCounts = 'stickers.counts';

/** The projection that {@link CountStore} holds: what was sent, added up from the users' streams. */
export class StickerCounts implements Consumer {
  readonly name = stickerCounts;
  readonly selector = 'stickers.*';
  readonly events = [StickersSent];
  // In the order of each user's stream: an event that the one behind it has overtaken would be taken for one that counts already.
  readonly options = { backfill: true, keyBy: 'stream' } as const;
  readonly #store: CountStore;

  constructor(store: CountStore) {
    this.#store = store;
  }

  async handle(ctx: Context, event: Event): Promise<void> {
    const { userId, count } = dataOf(StickersSent, event);
    await this.#store.add(ctx, userId, count, event.id);
  }
}
