import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, throwIfDone } from '@samovar/context';
import { HeadConflictError } from '@samovar/eda';

/**
 * Attempts again whenever somebody else was faster to append.
 *
 * @throws what `attempt` throws otherwise, and why `ctx` is done.
 */
export async function untilAppended<T>(ctx: Context, attempt: () => Promise<T>): Promise<T> {
  for (let lost = 0; ; lost++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HeadConflictError)) throw error;
      await pause(ctx, lost);
    }
  }
}

/** The winner goes on winning for a while, probably: trying again at once would only slow it down. */
async function pause(ctx: Context, lost: number): Promise<void> {
  await sleep(Math.random() * Math.min(2000, 100 * 2 ** lost), undefined, { signal: ctx.signal }).catch(() => {});
  throwIfDone(ctx);
}
