import { addAbortListener } from 'node:events';
import { type Context, throwIfDone } from './context.ts';

/** Lets callers in one at a time for each key, in the order they came. What is idle is not kept. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `fn` when all before it are through. @throws what `fn` throws, and why `ctx` is done if that is first. */
  async take<T>(ctx: Context, key: string, fn: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = Promise.withResolvers<void>();
    const last = Promise.all([before, turn.promise]).then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key);
    });
    this.#last.set(key, last);
    try {
      if (before !== undefined) await orDone(ctx, before);
      return await fn();
    } finally {
      turn.resolve();
    }
  }
}

async function orDone(ctx: Context, promise: Promise<void>): Promise<void> {
  throwIfDone(ctx);
  const over = Promise.withResolvers<void>();
  using _listener = addAbortListener(ctx.signal, () => over.resolve());
  await Promise.race([promise, over.promise]);
  throwIfDone(ctx);
}
