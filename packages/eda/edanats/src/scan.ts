import type { Context } from '@samovar/context';
import { codeOf, codes } from '@samovar/nats/jetstream';
import { addConsumer, firstAnswer, precedes, type Range } from './consumer.ts';
import { asLogError, isPassing } from './errors.ts';
import type { NatsLog } from './natslog.ts';
import { type Pulled, Puller } from './puller.ts';

/** Messages asked for at once: few at first, as many readers want no more than that. Bytes at hand to ask for no more. */
const firstBatch = 32;
const fullBatch = 1024;
const mostBytes = 16 * 1024 * 1024;
/** Milliseconds after which a consumer that nobody has asked is not relied on. */
const stale = 40_000;
/** Milliseconds until what failed is tried again. */
const pause = 250;
/** Milliseconds that a message may take to come. */
const lateness = 2_000;
/** Milliseconds until it is looked whether what should come was erased, at first: each consumer gets more time. */
const lookTime = 500;
const mostDoublings = 4;

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
  /** How often in a row the consumer was replaced by `lookAgain`. */
  #replaced = 0;
  #closed = false;

  /** `onMessage` is called for each message that comes. */
  constructor(log: NatsLog, range: Range, onMessage: () => void = () => {}) {
    this.#log = log;
    this.#range = range;
    this.#next = range.from;
    this.#onMessage = onMessage;
    this.#stopListening = log.onReconnect(() => {
      // What was on its way is lost.
      if (this.#puller !== undefined) this.begin();
    });
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

  /** Asks how many messages are there that have not come yet; then `pending` tells it. */
  async count(): Promise<void> {
    const { stream } = this.#range.source;
    const info = await this.#log.attempt(undefined, () => this.#log.jsm.consumers.info(stream, this.#consumer));
    this.pending = info.num_pending;
  }

  /** The next message of those at hand, left where it is. */
  peek(): Pulled | undefined {
    return this.#queue[this.#index];
  }

  /** Passes over what `peek` gives. */
  skip(): void {
    this.#bytes -= this.peek()?.data.length ?? 0;
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

  /** As `more`, but for some time at most. */
  async moreSoon(): Promise<void> {
    const timer = setTimeout(() => this.wake(), lookTime * 2 ** this.#replaced);
    try {
      await this.more();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Where nothing is at hand, sees to it that what is there comes. False: there is nothing that has not come. */
  async lookAgain(ctx?: Context): Promise<boolean> {
    const next = this.#next;
    const last = await this.#log.lastOf(ctx, this.#range.source);
    if (this.peek() !== undefined) return true;
    if (last === undefined || precedes(last, next)) return false;
    this.#replaced = Math.min(this.#replaced + 1, mostDoublings);
    await this.restart();
    return true;
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
    const { name, pending } = await addConsumer(this.#log, { ...this.#range, from: this.#next }, within);
    this.pending = pending;
    this.#asked = performance.now();
    this.#consumer = name;
    if (this.#closed) return this.#drop();
    this.#puller = new Puller(this.#log.nc, this.#range.source.stream, name, {
      onMessage: (message) => this.#take(message),
      onIdle: () => {
        this.pending = 0;
        void this.#verify(name);
      },
      onRelease: () => this.#ask(),
      onDoubt: () => void this.#check(name),
      onLost: () => this.begin(),
    });
  }

  #resume(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #take(message: Pulled): void {
    if (typeof this.#next === 'number' && message.position < this.#next) {
      // The consumer is on a server that was not up to date: it began where that one's log ended.
      this.#ask();
      return;
    }
    this.#next = message.position + 1;
    this.#replaced = 0;
    this.#queue.push(message);
    this.#bytes += message.data.length;
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
