import { Badge, BadgeAwarded, type Badges, badgesBetween, ListBadgesQuery } from '@samovar/badges';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import type { Initializer } from '@samovar/server';
import { StickersSent } from '@samovar/stickers';
import type { BadgeStore } from './store.ts';

/** Badges in a store, written in the transactions of those who send stickers. */
export class BadgesService implements Badges, Initializer {
  readonly #bus: Bus;
  readonly #store: BadgeStore;

  constructor(bus: Bus, store: BadgeStore) {
    this.#bus = bus;
    this.#store = store;
  }

  init(): void {
    this.#bus.addHandler(ListBadgesQuery, (ctx, query) => this.listBadges(ctx, query));
    this.#bus.addEventListener(StickersSent, (ctx, sent) => this.#award(ctx, sent));
  }

  async listBadges(ctx: Context, query: ListBadgesQuery): Promise<readonly Badge[]> {
    const { userId } = ListBadgesQuery.parse(query);
    const badges = await this.#store.badges(ctx, userId);
    return Badge.options.filter((badge) => badges.includes(badge));
  }

  async #award(ctx: Context, { userId, count }: StickersSent): Promise<void> {
    const after = await this.#store.addReceived(ctx, userId, count);
    for (const badge of badgesBetween(after - count, after)) {
      await this.#store.addBadge(ctx, userId, badge);
      await this.#bus.publish(ctx, BadgeAwarded, { userId, badge });
    }
  }
}
