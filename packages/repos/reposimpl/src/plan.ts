import type { Context } from '@samovar/context';
import type { Git, Place } from './git.ts';
import type { History } from './history.ts';

/** What a scan that came to its end saw: all that is reachable from there is recorded. */
export interface Seen {
  readonly tips: ReadonlySet<string>;
  readonly boundary: string;
}

/** How to find the commits that are not recorded. */
export interface Plan {
  /** Commits that are recorded with all that is reachable from them. */
  readonly without: readonly string[];
  /** Whether commits may be listed that are recorded. */
  readonly overlaps: boolean;
}

/**
 * Recorded commits are recorded with their ancestors, so leaving out the frontier leaves out what is recorded. That
 * does not hold while a clone is shallow, or after it was: then a recorded commit may show fewer or more ancestors than
 * it had. And a frontier commit that is gone, as after a forced push and gc, leaves out nothing.
 */
export async function plan(
  ctx: Context,
  git: Git,
  place: Place,
  { frontier, roots }: Pick<History, 'frontier' | 'roots'>,
  seen: Seen | undefined,
): Promise<Plan> {
  const seenTips = seen?.boundary === place.boundary ? [...seen.tips] : [];
  const parents = await git.parents(ctx, place.path, new Set([...frontier, ...roots, ...seenTips]));
  const whole = place.boundary === '' && ![...roots].some((root) => (parents.get(root)?.length ?? 0) > 0);
  const known = whole ? [...frontier, ...seenTips] : seenTips;
  const without = known.filter((hash) => parents.has(hash));
  return { without, overlaps: !whole || ![...frontier].every((hash) => parents.has(hash)) };
}
