import { type Context, whenDone, withSignal } from '@samovar/context';
import {
  type Conn,
  type Consumer,
  ConsumerRefusedError,
  DuplicateConsumerError,
  type Handler,
  type Subscription,
} from '@samovar/eda';
import { type BackgroundService, workContext } from '@samovar/server';
import type { RunningConsumers } from './running.ts';

/** Keeps the consumers' subscriptions open. */
export class ConsumersService implements BackgroundService {
  readonly name = 'consumers';
  readonly #conn: Conn;
  readonly #consumers: readonly Consumer[];
  readonly #running: RunningConsumers;

  /** @throws {DuplicateConsumerError} */
  constructor(conn: Conn, consumers: readonly Consumer[], running: RunningConsumers) {
    const names = new Set<string>();
    for (const { name } of consumers) {
      if (names.has(name)) throw new DuplicateConsumerError(name);
      names.add(name);
    }
    this.#conn = conn;
    this.#consumers = consumers;
    this.#running = running;
  }

  isDisabled(): boolean {
    return false;
  }

  /** @throws {ConsumerRefusedError} */
  async run(ctx: Context): Promise<void> {
    const subscriptions = new Map<string, Subscription>();
    try {
      for (const consumer of this.#consumers) {
        if (ctx.signal.aborted) return;
        subscriptions.set(consumer.name, await this.#subscribe(consumer, ctx.value(workContext)));
      }
      this.#running.started(subscriptions);
      await whenDone(ctx);
    } finally {
      this.#running.stopped();
      await Promise.all([...subscriptions.values()].map((subscription) => subscription.close()));
    }
  }

  async #subscribe(consumer: Consumer, work: Context): Promise<Subscription> {
    const { name, selector, options } = consumer;
    try {
      return await this.#conn.subscribe(selector, handlerOf(consumer, work), { ...options, name, durable: true });
    } catch (error) {
      throw new ConsumerRefusedError(name, error);
    }
  }
}

/** Hands over the events that the consumer handles, under contexts that end with `work`. */
function handlerOf(consumer: Consumer, work: Context): Handler {
  const { events } = consumer;
  const types = events === 'all' ? undefined : new Set(events.map(({ name }) => name));
  return (ctx, event) => {
    if (types !== undefined && !types.has(event.type)) return undefined;
    return consumer.handle(withSignal(ctx, work.signal), event);
  };
}
