import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, throwIfDone } from '@samovar/context';
import type { Logger } from '@samovar/eda';

const longestPauseMs = 30_000;

/**
 * Tries something again and again that is to go on for as long as `ctx` does, after pauses that grow until it `works`.
 * What it fails with is logged under `message`.
 *
 * @throws {CanceledError} @throws {DeadlineExceededError} when `ctx` is done.
 */
export async function persist(
  ctx: Context,
  logger: Logger,
  message: string,
  attempt: (works: () => void) => Promise<void>,
): Promise<never> {
  for (let failures = 0; ; failures++) {
    try {
      await attempt(() => (failures = 0));
    } catch (error) {
      throwIfDone(ctx);
      logger.warn(message, { err: error });
    }
    await sleep(Math.min(longestPauseMs, 100 * 2 ** failures), undefined, { signal: ctx.signal }).catch(() => {});
    throwIfDone(ctx);
  }
}
