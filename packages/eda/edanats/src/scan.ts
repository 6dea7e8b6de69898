import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import { asLogError, codeOf, codes, isPassing } from './errors.ts';
import type { NatsLog } from './natslog.ts';
import { type Pulled, Puller } from './puller.ts';
import { duplicateWindow } from './storage.ts';

/** Messages asked for at once: few at first, as many readers want no more than that. */
const firstBatch = 32;
const fullBatch = 256;
/** Milliseconds that the server keeps a consumer nobody asks, and after which it is not relied on. */
const kept = 60_000;
const stale = 40_000;
/** Milliseconds until what failed is tried again. */
const pause = 250;
/** Milliseconds until it is looked whether what should come was erased. */
const lookTime = 500;

/** What to scan. */
export interface Range {
  /** Of streams. */
  readonly selector: string;
  /** The first position; or a time in milliseconds. */
  readonly from: number | { readonly time: number };
  /** Only the headers. Default: false. */
  readonly headersOnly?: boolean;
}

/** The messages that a selector matches, in log order, through a consumer of its own that is made again when it is lost. */
export class Scan {
  readonly #log: NatsLog;
  readonly #range: Range;
  readonly #stopListening: () => void;
  #puller: Puller | undefined;
  #consumer = '';
  #opening: Promise<void> | undefined;
  #queue: Pulled[] = [];
  #index = 0;
  #next: Range['from'];
  #batch = firstBatch;
  #asked = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(log: NatsLog, range: Range) {
    this.#log = log;
    this.#range = range;
    this.#next = range.from;
    this.#stopListening = log.onReconnect(() => this.#puller?.reconnected());
  }

  /** How many messages there were when the consumer was made. */
  pending = 0;

  /** Makes the consumer. */
  async open(): Promise<void> {
    this.#opening ??= this.#log
      .attempt(undefined, () => this.#open())
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
  }

  /** Makes the consumer again, as what should come does not. */
  async restart(): Promise<void> {
    this.#drop();
    await this.open();
  }

  /** How many messages are there that have not come yet. */
  async left(): Promise<number> {
    const { stream } = this.#log.names;
    const info = await this.#log.attempt(undefined, () => this.#log.jsm.consumers.info(stream, this.#consumer));
    return info.num_pending;
  }

  /** The next message of those at hand, left where it is. */
  peek(): Pulled | undefined {
    return this.#queue[this.#index];
  }

  /** Passes over what `peek` gives. */
  skip(): void {
    this.#index++;
    if (this.#index < this.#queue.length) return;
    this.#queue = [];
    this.#index = 0;
  }

  /** Resolves when a message is at hand, or `wake` is called. */
  async more(): Promise<void> {
    if (this.peek() !== undefined || this.#closed) return;
    if (this.#puller === undefined || performance.now() - this.#asked > stale) await this.open();
    this.#ask();
    if (this.peek() !== undefined || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Frees what it holds. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#drop();
    this.wake();
  }

  async #open(): Promise<void> {
    this.#drop();
    const name = nuid.next();
    const from =
      typeof this.#next === 'number'
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#next }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(this.#next.time).toISOString() };
    const info = await this.#log.jsm.consumers.add(this.#log.names.stream, {
      name,
      ...from,
      filter_subject: this.#log.names.subject(this.#range.selector),
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: kept * 1e6,
      mem_storage: true,
      num_replicas: 1,
      ...(this.#range.headersOnly ? { headers_only: true } : {}),
    });
    this.pending = info.num_pending;
    this.#asked = performance.now();
    this.#consumer = name;
    if (this.#closed) return this.#drop();
    this.#puller = new Puller(this.#log.nc, this.#log.names.stream, name, {
      onMessage: (message) => this.#take(message),
      onRelease: () => this.#ask(),
      onSilence: () => void this.#check(name),
      onGone: () => this.#reopen(),
    });
  }

  #take(message: Pulled): void {
    if (typeof this.#next === 'number' && message.position < this.#next) return;
    this.#next = message.position + 1;
    this.#queue.push(message);
    this.wake();
  }

  #ask(): void {
    const puller = this.#puller;
    if (puller === undefined || this.#closed) return;
    const ahead = this.#queue.length - this.#index + puller.outstanding;
    if (ahead > this.#batch / 2) return;
    puller.ask(this.#batch);
    this.#asked = performance.now();
    this.#batch = Math.min(this.#batch * 2, fullBatch);
  }

  async #check(consumer: string): Promise<void> {
    try {
      await this.#log.jsm.consumers.info(this.#log.names.stream, consumer);
      if (consumer === this.#consumer) this.#ask();
    } catch (error) {
      if (consumer === this.#consumer && !this.#closed) this.#retry(error);
    }
  }

  #retry(error: unknown): void {
    if (codeOf(error) === codes.consumerNotFound) this.#reopen();
    else if (isPassing(error)) setTimeout(() => void this.#check(this.#consumer), pause);
    else this.#log.logger?.warn('reading an event log fails', { err: asLogError(error) });
  }

  #reopen(): void {
    if (this.#closed) return;
    this.open().then(
      () => this.#ask(),
      () => setTimeout(() => this.#reopen(), pause),
    );
  }

  #drop(): void {
    this.#puller?.abandon();
    this.#puller = undefined;
    if (this.#consumer !== '' && !this.#log.nc.isClosed()) {
      this.#log.jsm.consumers.delete(this.#log.names.stream, this.#consumer).catch(() => {});
    }
    this.#consumer = '';
  }
}

/** All messages of a range that are there now, in log order. */
export async function* scanned(log: NatsLog, range: Range): AsyncGenerator<Pulled> {
  // How many the consumer says there are is not to be relied on: server 2.9 miscounts now and then.
  const to = await log.lastPosition(undefined, range.selector);
  if (to === 0 || (typeof range.from === 'number' && range.from > to)) return;
  const scan = new Scan(log, range);
  try {
    await scan.open();
    for (let left = scan.pending; left > 0; ) {
      const timer = setTimeout(() => scan.wake(), lookTime);
      await scan.more();
      clearTimeout(timer);
      const message = scan.peek();
      if (message === undefined) left = await scan.left();
      else if (message.position > to) return;
      else {
        scan.skip();
        yield message;
        if (message.position === to) return;
      }
    }
  } finally {
    scan.close();
  }
}

/** The position of a stream's message with this id, if it was stored within the server's memory for ids and `age` ms. */
export async function findMessage(log: NatsLog, stream: string, id: string, age = 0): Promise<number | undefined> {
  const time = Date.now() - duplicateWindow / 1e6 - age;
  for await (const { position, msg } of scanned(log, { selector: stream, from: { time }, headersOnly: true })) {
    if (msg.headers?.get('Nats-Msg-Id') === id) return position;
  }
  return undefined;
}
