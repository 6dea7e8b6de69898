import { type Badge, BadgeAwarded, type Badges, badgesBetween, ListBadgesQuery } from '@samovar/badges';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { StickersSent } from '@samovar/stickers';

/**
 * Badges in memory, answering and listening on `bus`. They know committed stickers only: inside a transaction they are
 * as before it, and of several sendings in one, each tells of what it would earn by itself.
 */
export class FakeBadges implements Badges {
  readonly #bus: Bus;
  readonly #received = new Map<string, number>();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.addHandler(ListBadgesQuery, (ctx, query) => this.listBadges(ctx, query));
    bus.addEventListener(StickersSent, (ctx, sent) => this.#award(ctx, sent));
  }

  async listBadges(_ctx: Context, query: ListBadgesQuery): Promise<readonly Badge[]> {
    const { userId } = ListBadgesQuery.parse(query);
    return badgesBetween(0, this.#receivedBy(userId));
  }

  async #award(ctx: Context, { userId, count }: StickersSent): Promise<void> {
    const before = this.#receivedBy(userId);
    this.#bus.afterCommit(ctx, () => void this.#received.set(userId, this.#receivedBy(userId) + count));
    for (const badge of badgesBetween(before, before + count)) {
      await this.#bus.publish(ctx, BadgeAwarded, { userId, badge });
    }
  }

  #receivedBy(userId: string): number {
    return this.#received.get(userId) ?? 0;
  }
}
