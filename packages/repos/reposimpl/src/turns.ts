import { addAbortListener } from 'node:events';
import { type Context, throwIfDone } from '@samovar/context';

/** Lets callers in one at a time, in the order they came. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs `fn` when all before it are through. @throws what `fn` throws, and why `ctx` is done if that is first. */
  async take<T>(ctx: Context, fn: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = before.then(() => turn.promise);
    try {
      await orDone(ctx, before);
      return await fn();
    } finally {
      turn.resolve();
    }
  }
}

async function orDone(ctx: Context, promise: Promise<void>): Promise<void> {
  throwIfDone(ctx);
  const done = Promise.withResolvers<void>();
  using _listener = addAbortListener(ctx.signal, () => done.resolve());
  await Promise.race([promise, done.promise]);
  throwIfDone(ctx);
}
