import { setTimeout as delay } from 'node:timers/promises';
import { type Context, throwIfDone } from '@samovar/context';

const firstPauseMs = 5;
const longestPauseMs = 200;

/** Waits for a random time within bounds that double. @throws why `ctx` is done, as soon as it is. */
export async function pause(ctx: Context, attempt: number): Promise<void> {
  const bound = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
  await delay(Math.random() * bound, undefined, { signal: ctx.signal }).catch(() => throwIfDone(ctx));
  throwIfDone(ctx);
}

/** Settles as `promise` does, or with why `ctx` is done, whichever comes first. */
export async function whileGoing<T>(ctx: Context, promise: Promise<T>): Promise<T> {
  throwIfDone(ctx);
  const { signal } = ctx;
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(doneReason(ctx));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** One at a time, in the order they asked. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves, with what ends the turn, when it has come. @throws why `ctx` is done, if that is first. */
  async take(ctx: Context): Promise<() => void> {
    const before = this.#last;
    const mine = Promise.withResolvers<void>();
    this.#last = mine.promise;
    try {
      await whileGoing(ctx, before);
    } catch (error) {
      void before.then(mine.resolve);
      throw error;
    }
    return mine.resolve;
  }
}

function doneReason(ctx: Context): unknown {
  try {
    throwIfDone(ctx);
  } catch (reason) {
    return reason;
  }
  return ctx.signal.reason;
}
