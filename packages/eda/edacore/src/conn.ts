import { type Context, throwIfDone } from '@samovar/context';
import {
  ClosedError,
  type Conn,
  type ConnectOptions,
  checkStream,
  checkText,
  defaultMaxCommitBytes,
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
} from '@samovar/eda';
import type { Closing, LogEvent } from './backend.ts';
import { checkFlag, checkRange, checkWhole } from './checks.ts';
import { defaultOptions } from './delivery/options.ts';
import { encodeId } from './ids.ts';
import type { Log } from './log.ts';
import { LogParkedEvents } from './parked.ts';
import { newAppend, type Publisher } from './publishing.ts';
import { checkReading } from './reading.ts';
import { parseSelector } from './selector.ts';
import { MemberSubscription } from './subscription.ts';

const leastCommitBytes = 1024;
const mostCommitBytes = 64 * 1024 * 1024;
const leastLogBytes = 1024;

const console_: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => console.error(message, fields),
  error: (message, fields) => console.error(message, fields),
};

/** @throws {InvalidArgumentError} */
export function checkConnectOptions({
  client = '',
  maxCommitBytes = defaultMaxCommitBytes,
  replicas = 1,
  maxLogBytes = leastLogBytes,
  create,
}: ConnectOptions): void {
  checkText('client', client, 0);
  checkRange('maxCommitBytes', maxCommitBytes, leastCommitBytes, mostCommitBytes);
  checkWhole('replicas', replicas, 1);
  checkWhole('maxLogBytes', maxLogBytes, leastLogBytes);
  checkFlag('create', create);
}

/** Checks the options for a log that no server keeps. @throws {InvalidArgumentError} */
export function checkLocalOptions(options: ConnectOptions = {}): void {
  checkConnectOptions(options);
  const why = 'is of logs on a server, which this one is not';
  if ((options.replicas ?? 1) > 1) throw new InvalidArgumentError('replicas', why);
  if (options.maxLogBytes !== undefined) throw new InvalidArgumentError('maxLogBytes', why);
}

/** Where a connection with these options logs; undefined: nowhere. */
export function loggerOf({ logger = console_ }: ConnectOptions): Logger | undefined {
  return logger ?? undefined;
}

/** A connection to a log that is open in this process. */
export class LogConn implements Conn {
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #logger: Logger | undefined;
  readonly #subscriptions = new Set<MemberSubscription>();
  readonly #joining = new Set<Promise<unknown>>();
  readonly #onClose = new Set<() => void>();
  readonly #reading: Closing;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(log: Log, options: ConnectOptions) {
    const { client, maxCommitBytes = defaultMaxCommitBytes } = options;
    const { number, now = Date.now, mostCommitBytes } = log.backend;
    const bytes = Math.min(maxCommitBytes, mostCommitBytes);
    this.#publisher = { log: number, client: client || null, maxCommitBytes: bytes, now };
    this.#logger = loggerOf(options);
    this.#log = log;
    const isClosed = () => this.#closed;
    this.#reading = {
      get closed() {
        return isClosed();
      },
      onClose: (then: () => void) => {
        this.#onClose.add(then);
        return () => this.#onClose.delete(then);
      },
    };
    log.connected();
  }

  /** Connects to `log` with options that are right. */
  static to(log: Log, options: ConnectOptions = {}): LogConn {
    return new LogConn(log, options);
  }

  publish(ctx: Context, stream: string, event: NewEvent, options?: PublishOptions): Promise<EventId> {
    return this.#append(ctx, stream, [event], options, true) as Promise<EventId>;
  }

  publishAll(ctx: Context, stream: string, events: readonly NewEvent[], options?: PublishOptions): Promise<EventId[]> {
    return this.#append(ctx, stream, events, options, false) as Promise<EventId[]>;
  }

  read(ctx: Context, selector: string, options?: ReadOptions): EventStream {
    this.#check(ctx);
    const { backend } = this.#log;
    return backend.read(ctx, this.#reading, checkReading(backend.number, selector, options));
  }

  async head(ctx: Context, stream: string): Promise<EventId | null> {
    this.#check(ctx);
    const head = await this.#log.backend.head(ctx, checkStream(stream));
    return head === undefined ? null : encodeId(this.#log.backend.number, head.seq, true, head.clock);
  }

  streams(ctx: Context, selector = '>'): AsyncIterable<StreamInfo> {
    this.#check(ctx);
    return this.#log.backend.streams(parseSelector(selector), () => this.#check(ctx));
  }

  async subscribe(selector: string, handle: Handler, options?: SubscriptionOptions): Promise<Subscription> {
    if (this.#closing !== undefined) throw closedError();
    if (typeof handle !== 'function') throw new InvalidArgumentError('handle', 'is no function');
    const { backend } = this.#log;
    const passing: Handler = (ctx, event) => (backend.isErased(event as LogEvent) ? undefined : handle(ctx, event));
    const joining = this.#log.subscribe(selector, passing, options, this.#logger);
    const joined = joining.then(({ group, member }) => {
      const subscription = new MemberSubscription(group, member, (gone) => this.#subscriptions.delete(gone));
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
    return this.#stored(ctx);
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    this.#check(ctx);
    await this.#log.backend.erase(ctx, checkStream(stream));
  }

  parked(name: string): ParkedEvents {
    return new LogParkedEvents(this.#log, String(name), (ctx) => this.#check(ctx));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #append(
    ctx: Context,
    stream: string,
    events: readonly NewEvent[],
    options: PublishOptions | undefined,
    single: boolean,
  ): Promise<EventId | EventId[]> {
    try {
      this.#check(ctx);
      const { backend } = this.#log;
      const append = newAppend(this.#publisher, ctx, stream, events, options, single);
      if (events.length === 0) append.stored(backend.number, 0, 0, 0);
      else backend.append(append);
      return append.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async *#stored(ctx: Context): AsyncGenerator<SubscriptionInfo> {
    await this.#log.backend.subscriptions.ready();
    for (const [name, { selector, options, offset }] of this.#log.backend.subscriptions.all().sort(byName)) {
      this.#check(ctx);
      yield { name, selector, options: { ...defaultOptions, ...options }, lastAcked: offset.last };
    }
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
    await this.#log.disconnected();
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function closedError(): ClosedError {
  return new ClosedError('the connection to the event log');
}
