import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, ConsumerNotFoundError, type Consumers, type EventId, type Subscription } from '@samovar/eda';

/**
 * The subscriptions of the consumers, for those who wait for them: of its own, so that a consumer may need a service
 * which waits for consumers.
 */
export class RunningConsumers implements Consumers {
  readonly #started = Promise.withResolvers<ReadonlyMap<string, Subscription> | undefined>();

  async caughtUp(ctx: Context, name: string, id?: EventId): Promise<void> {
    const subscriptions = await until(ctx, this.#started.promise);
    if (subscriptions === undefined) throw new ClosedError(`consumer ${name}`);
    const subscription = subscriptions.get(name);
    if (subscription === undefined) throw new ConsumerNotFoundError(name);
    await subscription.caughtUp(ctx, id);
  }

  /** All of them are open, by the names of their consumers. */
  started(subscriptions: ReadonlyMap<string, Subscription>): void {
    this.#started.resolve(subscriptions);
  }

  /** Those that are not open now never will be. */
  stopped(): void {
    this.#started.resolve(undefined);
  }
}

/** What `promise` gives, unless `ctx` is done before. */
async function until<T>(ctx: Context, promise: Promise<T>): Promise<T> {
  throwIfDone(ctx);
  const { signal } = ctx;
  const { promise: done, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, done]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
