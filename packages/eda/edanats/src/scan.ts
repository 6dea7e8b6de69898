import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { errors, nuid } from '@nats-io/transport-node';
import { asLogError, codeOf, codes, isPassing } from './errors.ts';
import type { Source } from './names.ts';
import type { NatsLog } from './natslog.ts';
import { type Pulled, Puller } from './puller.ts';
import { duplicateWindow } from './storage.ts';

/** Messages asked for at once: few at first, as many readers want no more than that. Bytes at hand to ask for no more. */
const firstBatch = 32;
const fullBatch = 1024;
const mostBytes = 16 * 1024 * 1024;
/** Milliseconds that the server keeps a consumer nobody asks, and after which it is not relied on. */
const kept = 60_000;
const stale = 40_000;
/** Milliseconds until what failed is tried again. */
const pause = 250;
/** Milliseconds that a message may take to come. */
const lateness = 2_000;
/** Milliseconds until it is looked whether what should come was erased. */
const lookTime = 500;

/** Milliseconds that the server has to make a consumer, at first: a cluster may choose a member for it that is down. */
const firstAnswer = 1_000;

/** What to scan. */
export interface Range {
  readonly source: Source;
  /** The first position; or a time in milliseconds. */
  readonly from: number | { readonly time: number };
  /** Only the headers. Default: false. */
  readonly headersOnly?: boolean;
}

/** The messages of a source, in log order, through a consumer of its own that is made again when it is lost. */
export class Scan {
  readonly #log: NatsLog;
  readonly #range: Range;
  readonly #onMessage: () => void;
  readonly #stopListening: () => void;
  #puller: Puller | undefined;
  #consumer = '';
  #opening: Promise<void> | undefined;
  #queue: Pulled[] = [];
  #index = 0;
  #bytes = 0;
  #next: Range['from'];
  #batch = firstBatch;
  #asked = 0;
  #wake: (() => void) | undefined;
  #woken = false;
  #failing = false;
  #isVerifying = false;
  #closed = false;

  /** `onMessage` is called for each message that comes. */
  constructor(log: NatsLog, range: Range, onMessage: () => void = () => {}) {
    this.#log = log;
    this.#range = range;
    this.#next = range.from;
    this.#onMessage = onMessage;
    this.#stopListening = log.onReconnect(() => this.#puller?.reconnected());
  }

  /** How many messages are not at hand yet, as the server has said last: server 2.9 miscounts now and then. */
  pending = 0;

  /** The messages at hand. */
  get queued(): readonly Pulled[] {
    return this.#queue.slice(this.#index);
  }

  /** Whether it waits for messages, and not for room. */
  get isAsking(): boolean {
    return (this.#puller?.outstanding ?? 0) > 0;
  }

  /** Makes the consumer. */
  async open(): Promise<void> {
    let tries = 0;
    this.#opening ??= this.#log
      .attempt(undefined, () => this.#open(firstAnswer * 2 ** tries++))
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
  }

  /** Has messages come from now on, whatever fails meanwhile. */
  begin(): void {
    if (this.#closed) return;
    this.open().then(
      () => {
        this.#failing = false;
        this.#ask();
      },
      (error: unknown) => this.#again(error, () => this.begin()),
    );
  }

  /** Makes the consumer again, as what should come does not. */
  async restart(): Promise<void> {
    this.#drop();
    await this.open();
    this.#ask();
  }

  /** How many messages are there that have not come yet. */
  async left(): Promise<number> {
    const { stream } = this.#range.source;
    const info = await this.#log.attempt(undefined, () => this.#log.jsm.consumers.info(stream, this.#consumer));
    this.pending = info.num_pending;
    return this.pending;
  }

  /** The next message of those at hand, left where it is. */
  peek(): Pulled | undefined {
    return this.#queue[this.#index];
  }

  /** Passes over what `peek` gives. */
  skip(): void {
    this.#bytes -= this.peek()?.msg.data.length ?? 0;
    this.#index++;
    if (this.#index === this.#queue.length) {
      this.#queue = [];
      this.#index = 0;
    }
    this.#ask();
  }

  /** Resolves when a message is at hand, or `wake` is called. */
  async more(): Promise<void> {
    if (this.peek() !== undefined || this.#closed) return;
    if (this.#puller === undefined || performance.now() - this.#asked > stale) await this.open();
    this.#ask();
    if (this.peek() === undefined && !this.#closed && !this.#woken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#woken = false;
  }

  /** Has `more` resolve, also where it is not waiting yet. */
  wake(): void {
    this.#woken = true;
    this.#resume();
  }

  /** Frees what it holds. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#drop();
    this.wake();
  }

  /** Waits for the server for `within` milliseconds. */
  async #open(within: number): Promise<void> {
    this.#drop();
    const name = nuid.next();
    const { stream, subject } = this.#range.source;
    const from =
      typeof this.#next === 'number'
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#next }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(this.#next.time).toISOString() };
    const adding = this.#log.jsm.consumers.add(stream, {
      name,
      ...from,
      filter_subject: subject,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: kept * 1e6,
      mem_storage: true,
      num_replicas: 1,
      ...(this.#range.headersOnly ? { headers_only: true } : {}),
    });
    const info = await answered(adding, within);
    this.pending = info.num_pending;
    this.#asked = performance.now();
    this.#consumer = name;
    if (this.#closed) return this.#drop();
    this.#puller = new Puller(this.#log.nc, stream, name, {
      onMessage: (message) => this.#take(message),
      onIdle: () => {
        this.pending = 0;
        void this.#verify(name);
      },
      onRelease: () => this.#ask(),
      onDoubt: () => void this.#check(name),
      onSilence: () => this.begin(),
      onGone: () => this.begin(),
    });
  }

  #resume(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #take(message: Pulled): void {
    if (typeof this.#next === 'number' && message.position < this.#next) {
      // Its server was started anew, and the consumer begins where it began first.
      this.begin();
      return;
    }
    this.#next = message.position + 1;
    this.#queue.push(message);
    this.#bytes += message.msg.data.length;
    this.pending = message.pending;
    this.#onMessage();
    this.#resume();
  }

  #ask(): void {
    const puller = this.#puller;
    if (puller === undefined || this.#closed) return;
    const ahead = this.#queue.length - this.#index + puller.outstanding;
    if (ahead > this.#batch / 2 || this.#bytes > mostBytes) return;
    if (performance.now() - this.#asked > stale) {
      this.begin();
      return;
    }
    puller.ask(this.#batch);
    this.#asked = performance.now();
    this.#batch = Math.min(this.#batch * 2, fullBatch);
  }

  async #check(consumer: string): Promise<void> {
    if (this.#closed || consumer !== this.#consumer) return;
    try {
      await this.#log.jsm.consumers.info(this.#range.source.stream, consumer);
      if (consumer !== this.#consumer) return;
      this.#failing = false;
      this.#ask();
    } catch (error) {
      if (this.#closed || consumer !== this.#consumer) return;
      if (codeOf(error) === codes.consumerNotFound) this.begin();
      else this.#again(error, () => void this.#check(consumer));
    }
  }

  /** Replaces a consumer that does not hand over what is there, as one may whose server was started anew. */
  async #verify(consumer: string): Promise<void> {
    const next = this.#next;
    if (this.#log.replicas === 1 || this.#isVerifying || typeof next !== 'number') return;
    this.#isVerifying = true;
    try {
      if ((await this.#log.lastPosition(undefined, this.#range.source)) < next) return;
      await new Promise((resolve) => setTimeout(resolve, lateness));
      if (consumer === this.#consumer && this.#next === next) this.begin();
    } catch (error) {
      if (!isPassing(error)) this.#log.logger?.warn('reading an event log fails', { err: asLogError(error) });
    } finally {
      this.#isVerifying = false;
    }
  }

  /** Tries again what failed; what does not pass by itself is told once, until it works again. */
  #again(error: unknown, action: () => void): void {
    if (this.#closed || this.#log.nc.isClosed()) return;
    if (!this.#failing && !isPassing(error)) {
      this.#log.logger?.warn('reading an event log fails; it is tried again', { err: asLogError(error) });
    }
    this.#failing = true;
    setTimeout(action, pause);
  }

  #drop(): void {
    this.#puller?.abandon();
    this.#puller = undefined;
    if (this.#consumer !== '' && !this.#log.nc.isClosed()) {
      this.#log.jsm.consumers.delete(this.#range.source.stream, this.#consumer).catch(() => {});
    }
    this.#consumer = '';
  }
}

/** Rejects where `answer` takes longer than so many milliseconds. */
async function answered<T>(answer: Promise<T>, within: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new errors.TimeoutError()), within);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** All messages of a range that are there now, in log order. */
export async function* scanned(log: NatsLog, range: Range): AsyncGenerator<Pulled> {
  // How many the consumer says there are is not to be relied on: server 2.9 miscounts now and then.
  const to = await log.lastPosition(undefined, range.source);
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
  const range = { source: log.names.events(stream), from: { time: Date.now() - duplicateWindow / 1e6 - age } };
  for await (const { position, msg } of scanned(log, { ...range, headersOnly: true })) {
    if (msg.headers?.get('Nats-Msg-Id') === id) return position;
  }
  return undefined;
}
