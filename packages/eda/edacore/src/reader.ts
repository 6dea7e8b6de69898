import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, type Event, type EventStream } from '@samovar/eda';
import type { Closing } from './backend.ts';
import type { Reading } from './reading.ts';

/** Whether a reader may go on. */
export class ReaderLife {
  readonly ctx: Context;
  readonly #closing: Closing;

  constructor(ctx: Context, closing: Closing) {
    this.ctx = ctx;
    this.#closing = closing;
  }

  check(): void {
    throwIfDone(this.ctx);
    if (this.#closing.closed) throw new ClosedError('the connection to the event log');
  }

  /** Calls `then` when it is over, soon if it is already, until the function returned is called. */
  onEnd(then: () => void): () => void {
    const { signal } = this.ctx;
    if (signal.aborted || this.#closing.closed) queueMicrotask(then);
    const forget = this.#closing.onClose(then);
    signal.addEventListener('abort', then);
    return () => {
      forget();
      signal.removeEventListener('abort', then);
    };
  }
}

/** Where a reader gets its events from, in its order. Positions are what the source takes for them; they grow along the log. */
export interface ReaderSource {
  /** The next event, if it is at hand and not behind `to`. */
  take(to: number): Event | undefined;
  /**
   * Resolves when more is at hand, or when there is reason to ask again, such as the end of the reader's life. False: there is
   * nothing more up to `to`; with `wait`, it waits for more. No more than `limit` events are needed.
   */
  fetch(to: number, wait: boolean, limit: number): boolean | Promise<boolean>;
  /** The last position that is there now. */
  end(): number | Promise<number>;
  /** Has `fetch` resolve. */
  wake(): void;
  /** Nobody reads on. */
  close(): void;
}

const done: IteratorResult<Event, undefined> = { done: true, value: undefined };

/** The events of a source, up to a limit. */
export class Reader implements EventStream {
  readonly life: ReaderLife;
  readonly source: ReaderSource;
  readonly #watch: boolean;
  #left: number;
  #iterated = false;

  constructor(life: ReaderLife, source: ReaderSource, { limit, watch }: Pick<Reading, 'limit' | 'watch'>) {
    this.life = life;
    this.source = source;
    this.#left = limit;
    this.#watch = watch;
  }

  /** How many events may be taken yet. */
  get left(): number {
    return this.#left;
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    if (this.#iterated) throw new TypeError('an event stream can be iterated once: call read() again');
    this.#iterated = true;
    return new Iteration(this, this.#watch, true);
  }

  history(): AsyncIterable<Event> {
    return { [Symbol.asyncIterator]: () => new Iteration(this, false, false) };
  }

  /** The next event, if it is at hand. @throws if the reader may not go on. */
  take(to: number): Event | undefined {
    this.life.check();
    if (this.#left === 0) return undefined;
    const event = this.source.take(to);
    if (event !== undefined) this.#left--;
    return event;
  }
}

class Iteration implements AsyncIterator<Event, undefined> {
  readonly #reader: Reader;
  readonly #wait: boolean;
  readonly #last: boolean;
  #to: number | undefined;
  #ended = false;
  #running = 0;
  #previous: Promise<unknown> = Promise.resolve();

  /** `last`: nobody reads on when this has ended. */
  constructor(reader: Reader, wait: boolean, last: boolean) {
    this.#reader = reader;
    this.#wait = wait;
    this.#last = last;
    if (wait) this.#to = Number.MAX_SAFE_INTEGER;
  }

  /** Calls are answered one after another, also if one is made before the last is answered. */
  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#running === 0 && this.#to !== undefined && !this.#ended) {
      try {
        const event = this.#reader.take(this.#to);
        if (event !== undefined) return Promise.resolve({ done: false, value: event });
      } catch (error) {
        this.#end();
        return Promise.reject(error);
      }
    }
    const result = this.#running === 0 ? this.#run() : this.#previous.then(() => this.#run());
    this.#previous = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#end();
    this.#reader.source.wake();
    return Promise.resolve(done);
  }

  #end(): void {
    this.#ended = true;
    if (this.#last) this.#reader.source.close();
  }

  async #run(): Promise<IteratorResult<Event, undefined>> {
    this.#running++;
    try {
      const event = this.#ended ? undefined : await this.#find();
      if (event === undefined) this.#end();
      return event === undefined ? done : { done: false, value: event };
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#running--;
    }
  }

  async #find(): Promise<Event | undefined> {
    const { source, life } = this.#reader;
    // What a source answers at once is not awaited: that takes longer than a page from memory.
    if (this.#to === undefined) {
      const end = source.end();
      this.#to = typeof end === 'number' ? end : await end;
    }
    while (!this.#ended) {
      const event = this.#reader.take(this.#to);
      if (event !== undefined) return event;
      if (this.#reader.left === 0) return undefined;
      const fetched = source.fetch(this.#to, this.#wait, this.#reader.left);
      if (typeof fetched === 'boolean' ? fetched : await fetched) continue;
      life.check();
      return undefined;
    }
    return undefined;
  }
}
