import type { Context } from '@samovar/context';
import { type ArgsOf, event, query } from '@samovar/message';
import { UserId } from '@samovar/stickers';
import { z } from 'zod';

/** What a user is awarded for 1, 10 and 100 stickers in all. */
export const Badge = z.enum(['bronze', 'silver', 'gold']);
export type Badge = z.infer<typeof Badge>;

const stickersFor: Readonly<Record<Badge, number>> = { bronze: 1, silver: 10, gold: 100 };

/** What a user is awarded whose stickers grow from `before` to `after`, in the order in which that is. */
export function badgesBetween(before: number, after: number): readonly Badge[] {
  return Badge.options.filter((badge) => before < stickersFor[badge] && stickersFor[badge] <= after);
}

/** A user has got a badge, once for each. Told in the transaction in which the stickers were sent. */
export const BadgeAwarded = event('badges.BadgeAwarded', z.object({ userId: UserId, badge: Badge }));
export type BadgeAwarded = ArgsOf<typeof BadgeAwarded>;

/** A user's badges, in the order in which they were awarded. */
export const ListBadgesQuery = query('badges.ListBadgesQuery', z.object({ userId: UserId }), z.array(Badge).readonly());
export type ListBadgesQuery = ArgsOf<typeof ListBadgesQuery>;

/** Badges, awarded with the stickers that earn them: in one transaction, so that no reader sees one without the other. */
export abstract class Badges {
  /** None for an unknown user. @throws {InvalidMessageError} */
  abstract listBadges(ctx: Context, query: ListBadgesQuery): Promise<readonly Badge[]>;
}
