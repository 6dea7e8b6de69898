import { type Context, throwIfDone } from '@samovar/context';
import {
  ClosedError,
  type Conn,
  checkStream,
  type EventId,
  type EventStream,
  type Handler,
  handledEvent,
  InvalidArgumentError,
  type Logger,
  type NewEvent,
  type ParkedEvents,
  type PublishOptions,
  type ReadOptions,
  type StreamInfo,
  type Subscription,
  type SubscriptionInfo,
  type SubscriptionOptions,
  UnsupportedError,
} from '@samovar/eda';
import { newAppend, parseSelector } from '@samovar/edacore';
import type { SharedLog } from './delivery/sharedlog.ts';
import { NatsSubscription } from './delivery/subscription.ts';
import { streamsOf } from './listing.ts';
import { newReader } from './reading.ts';

/** How a connection was asked to be. */
export interface Settings {
  readonly client: string;
  readonly logger: Logger | undefined;
  readonly maxCommitBytes: number;
}

/** A connection to a log that is open in this process. */
export class NatsConn implements Conn {
  readonly #shared: SharedLog;
  readonly #settings: Settings;
  readonly #subscriptions = new Set<NatsSubscription>();
  readonly #joining = new Set<Promise<unknown>>();
  readonly #onClose = new Set<() => void>();
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(shared: SharedLog, settings: Settings) {
    this.#shared = shared;
    this.#settings = settings;
  }

  publish(ctx: Context, stream: string, event: NewEvent, options?: PublishOptions): Promise<EventId> {
    return this.#append(ctx, stream, [event], options, true) as Promise<EventId>;
  }

  publishAll(ctx: Context, stream: string, events: readonly NewEvent[], options?: PublishOptions): Promise<EventId[]> {
    return this.#append(ctx, stream, events, options, false) as Promise<EventId[]>;
  }

  read(ctx: Context, selector: string, options?: ReadOptions): EventStream {
    this.#check(ctx);
    const isClosed = () => this.#closed;
    const closing = {
      get closed() {
        return isClosed();
      },
      onClose: (then: () => void) => {
        this.#onClose.add(then);
        return () => this.#onClose.delete(then);
      },
    };
    return newReader(this.#shared.log, closing, ctx, selector, options);
  }

  async head(ctx: Context, stream: string): Promise<EventId | null> {
    this.#check(ctx);
    return this.#shared.log.head(ctx, checkStream(stream));
  }

  streams(ctx: Context, selector = '>'): AsyncIterable<StreamInfo> {
    this.#check(ctx);
    return streamsOf(this.#shared.log, ctx, parseSelector(selector));
  }

  async subscribe(selector: string, handle: Handler, options?: SubscriptionOptions): Promise<Subscription> {
    if (this.#closing !== undefined) throw closedError();
    if (typeof handle !== 'function') throw new InvalidArgumentError('handle', 'is no function');
    const joining = this.#shared.subscribe(selector, handle, options, this.#settings.logger);
    const joined = joining.then(({ group, member }) => {
      const subscription = new NatsSubscription(group, member, (gone) => this.#subscriptions.delete(gone));
      this.#subscriptions.add(subscription);
      return subscription;
    });
    this.#joining.add(joined);
    try {
      return await joined;
    } finally {
      this.#joining.delete(joined);
    }
  }

  subscriptions(ctx: Context): AsyncIterable<SubscriptionInfo> {
    this.#check(ctx);
    return this.#shared.records.list(ctx);
  }

  parked(name: string): ParkedEvents {
    const refuse = () => {
      throw new UnsupportedError(`events of ${name} are not parked yet on NATS: they are tried for ever`);
    };
    return {
      list: refuse,
      count: async () => refuse(),
      oldest: async () => refuse(),
      replay: async () => refuse(),
      skip: async () => refuse(),
    };
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    this.#check(ctx);
    await this.#shared.log.erasures.erase(ctx, checkStream(stream));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(
    ctx: Context,
    stream: string,
    events: readonly NewEvent[],
    options: PublishOptions | undefined,
    single: boolean,
  ): Promise<EventId | EventId[]> {
    this.#check(ctx);
    const { client, maxCommitBytes } = this.#settings;
    const { log } = this.#shared;
    const publisher = { log: log.number, client: client === '' ? null : client, maxCommitBytes };
    const append = newAppend(publisher, ctx, stream, events, options, single);
    if (events.length === 0) append.stored(log.number, 0, 0, 0);
    else log.publisher.publish(append, this);
    return append.promise;
  }

  /** While closing, only the handlers that may finish can go on using the connection. */
  #check(ctx: Context): void {
    throwIfDone(ctx);
    if (this.#closing === undefined) return;
    if (this.#closed || ctx.value(handledEvent) === undefined) throw closedError();
  }

  async #close(): Promise<void> {
    while (this.#joining.size > 0) await Promise.allSettled(this.#joining);
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    this.#closed = true;
    for (const then of this.#onClose) then();
    await this.#shared.log.publisher.settled(this);
    await this.#shared.disconnected();
  }
}

function closedError(): ClosedError {
  return new ClosedError('the connection to the event log');
}
