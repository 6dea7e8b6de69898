import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, type Event, type EventStream } from '@samovar/eda';
import type { Closing } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Reading } from '../reading.ts';
import type { Selector } from '../selector.ts';
import type { LocalLog, Page } from './locallog.ts';

/** Events asked for at once: few at first, as many readers want no more than that. */
const firstPage = 32;
const fullPage = 1000;

export function newReader(log: LocalLog, closing: Closing, ctx: Context, reading: Reading): EventStream {
  return new Reader(log, closing, ctx, reading);
}

const done: IteratorResult<Event, undefined> = { done: true, value: undefined };

class Reader implements EventStream {
  readonly #log: LocalLog;
  readonly #closing: Closing;
  readonly #ctx: Context;
  readonly #selector: Selector;
  readonly #reading: Reading;
  #cursor: Seq;
  #left: number;
  #page: Page['events'] = [];
  #index = 0;
  #pageSize = firstPage;
  #iterated = false;
  #stopWaiting: (() => void) | undefined;

  constructor(log: LocalLog, closing: Closing, ctx: Context, reading: Reading) {
    this.#log = log;
    this.#closing = closing;
    this.#ctx = ctx;
    this.#selector = reading.selector;
    this.#reading = reading;
    this.#cursor = reading.after ?? (reading.backwards ? Number.MAX_SAFE_INTEGER : 0);
    this.#left = reading.limit;
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    if (this.#iterated) throw new TypeError('an event stream can be iterated once: call read() again');
    this.#iterated = true;
    return new Iteration(this, this.#reading.watch);
  }

  history(): AsyncIterable<Event> {
    return { [Symbol.asyncIterator]: () => new Iteration(this, false) };
  }

  /** What a reader that starts now and does not wait reads up to. */
  end(): Seq {
    return this.#reading.backwards ? Number.MAX_SAFE_INTEGER : this.#log.tip();
  }

  /** The next event up to `to` of those at hand. @throws if the reader may not go on. */
  take(to: Seq): StoredEvent | undefined {
    throwIfDone(this.#ctx);
    if (this.#closing.closed) throw new ClosedError('the connection to the event log');
    for (;;) {
      const event = this.#page[this.#index];
      if (event === undefined || event.seq > to || this.#left === 0) return undefined;
      this.#index++;
      if (this.#log.isErased(event.seq)) continue;
      this.#left--;
      return event;
    }
  }

  /** Whether nothing up to `to` can follow what `take` gives without another page. */
  isThrough(to: Seq): boolean {
    return this.#left === 0 || this.#index < this.#page.length || (!this.#reading.backwards && this.#cursor >= to);
  }

  /** Gets the next page. */
  fetch(to: Seq): Page {
    const limit = Math.min(this.#left, this.#pageSize);
    const { backwards } = this.#reading;
    const page = this.#log.page(this.#selector, { from: this.#cursor, to, limit, backwards });
    this.#pageSize = Math.min(this.#pageSize * 4, fullPage);
    this.#cursor = page.cursor;
    this.#page = page.events;
    this.#index = 0;
    return page;
  }

  /** Lets whoever waits in `wake` go on. */
  stopWaiting(): void {
    this.#stopWaiting?.();
  }

  /** Resolves when there may be new events, or no reason to wait any longer. */
  wake(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#ctx;
      if (signal.aborted) return resolve();
      const wake = () => {
        this.#stopWaiting = undefined;
        for (const stop of stops) stop();
        resolve();
      };
      this.#stopWaiting = wake;
      signal.addEventListener('abort', wake);
      const stops = [
        this.#log.wakes.add(this.#selector, wake),
        this.#closing.onClose(wake),
        () => signal.removeEventListener('abort', wake),
      ];
    });
  }
}

class Iteration implements AsyncIterator<Event, undefined> {
  readonly #reader: Reader;
  readonly #wait: boolean;
  #to: Seq | undefined;
  /** Whether there is more behind the last page; undefined: that is yet to be seen. */
  #more: boolean | undefined;
  #ended = false;
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(reader: Reader, wait: boolean) {
    this.#reader = reader;
    this.#wait = wait;
  }

  /** Calls are answered one after another, also if one is made before the last is answered. */
  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#running === 0 && this.#to !== undefined && !this.#ended) {
      try {
        const event = this.#reader.take(this.#to);
        if (event !== undefined) return Promise.resolve({ done: false, value: event });
      } catch (error) {
        this.#ended = true;
        return Promise.reject(error);
      }
    }
    const result = this.#running === 0 ? this.#run() : this.#last.then(() => this.#run());
    this.#last = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#ended = true;
    this.#reader.stopWaiting();
    return Promise.resolve(done);
  }

  async #run(): Promise<IteratorResult<Event, undefined>> {
    this.#running++;
    try {
      const event = this.#ended ? undefined : await this.#find();
      this.#ended ||= event === undefined;
      return event === undefined ? done : { done: false, value: event };
    } catch (error) {
      this.#ended = true;
      throw error;
    } finally {
      this.#running--;
    }
  }

  async #find(): Promise<StoredEvent | undefined> {
    this.#to ??= this.#wait ? Number.MAX_SAFE_INTEGER : this.#reader.end();
    while (!this.#ended) {
      const event = this.#reader.take(this.#to);
      if (event !== undefined) return event;
      if (this.#reader.isThrough(this.#to) || this.#more === false) return undefined;
      // Others get their turn between the pages of a long read.
      if (this.#more) await new Promise((resolve) => setImmediate(resolve));
      const page = this.#reader.fetch(this.#to);
      if (!this.#wait) this.#more = page.more;
      else if (page.more) this.#more = true;
      else {
        this.#more = undefined;
        // Whatever is new since is found by the next fetch, as nothing ran between this one and the wait.
        if (page.events.length === 0) await this.#reader.wake();
      }
    }
    return undefined;
  }
}
