import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, type Event, type EventStream } from '@samovar/eda';
import { type Closing, maxCommit, type Reading, type Selector, type Seq } from '@samovar/edacore';
import { backwardsFrom } from './backwards.ts';
import type { NatsEvent } from './event.ts';
import type { NatsLog } from './natslog.ts';
import { Scan } from './scan.ts';

const done: IteratorResult<Event, undefined> = { done: true, value: undefined };

export function newReader(log: NatsLog, closing: Closing, ctx: Context, reading: Reading): EventStream {
  const { selector, after, backwards, limit, watch } = reading;
  const life = new Life(closing, ctx);
  const source = backwards ? new Backwards(log, selector, after) : new Forwards(log, selector, after, life);
  return new Reader(life, source, limit, watch);
}

/** Whether a reader may go on. */
class Life {
  readonly ctx: Context;
  readonly #closing: Closing;

  constructor(closing: Closing, ctx: Context) {
    this.#closing = closing;
    this.ctx = ctx;
  }

  check(): void {
    throwIfDone(this.ctx);
    if (this.#closing.closed) throw new ClosedError('the connection to the event log');
  }

  /** Calls `then` when it is over, until the function returned is called. */
  onEnd(then: () => void): () => void {
    const { signal } = this.ctx;
    const forget = this.#closing.onClose(then);
    signal.addEventListener('abort', then);
    return () => {
      forget();
      signal.removeEventListener('abort', then);
    };
  }
}

/** Where a reader gets its events from, in its order. */
interface Source {
  /** The next event, if it is at hand and not behind `to`. */
  take(to: number): NatsEvent | undefined;
  /** Resolves when more is at hand, or when there is reason to ask again. False: there is nothing more up to `to`. */
  fetch(to: number, wait: boolean): Promise<boolean>;
  /** The last position that is there now. */
  end(): Promise<number>;
  /** Makes `fetch` resolve. */
  wake(): void;
  close(): void;
}

class Forwards implements Source {
  readonly #log: NatsLog;
  readonly #selector: Selector;
  readonly #life: Life;
  readonly #after: Seq;
  readonly #scan: Scan;
  #events: NatsEvent[] = [];
  #index = 0;
  #seen: number;

  constructor(log: NatsLog, selector: Selector, after: Seq | undefined, life: Life) {
    this.#log = log;
    this.#selector = selector;
    this.#life = life;
    this.#after = after ?? 0;
    const first = Math.max(1, Math.floor(this.#after / maxCommit));
    this.#seen = first - 1;
    this.#scan = new Scan(log, { source: log.names.events(selector.text), from: first });
  }

  take(to: number): NatsEvent | undefined {
    for (;;) {
      const event = this.#events[this.#index];
      if (event !== undefined) {
        if (event.seq >= (to + 1) * maxCommit) return undefined;
        this.#index++;
        if (event.seq > this.#after && !this.#log.erasures.has(event.stream, this.#seen)) return event;
      } else if (!this.#decode(to)) return undefined;
    }
  }

  async fetch(to: number, wait: boolean): Promise<boolean> {
    const [event, message] = [this.#events[this.#index], this.#scan.peek()];
    if (this.#seen >= to || event !== undefined || (message !== undefined && message.position > to)) return false;
    await (wait ? this.#scan.more() : this.#scan.moreSoon());
    this.#life.check();
    return wait || this.#scan.peek() !== undefined || this.#scan.lookAgain(this.#life.ctx);
  }

  end(): Promise<number> {
    return this.#log.lastPosition(this.#life.ctx, this.#log.names.events(this.#selector.text));
  }

  wake(): void {
    this.#scan.wake();
  }

  close(): void {
    this.#scan.close();
  }

  #decode(to: number): boolean {
    const message = this.#scan.peek();
    if (message === undefined || message.position > to) return false;
    this.#scan.skip();
    this.#seen = message.position;
    this.#events = this.#log.eventsIn(this.#log.decoded(message));
    this.#index = 0;
    return true;
  }
}

class Backwards implements Source {
  readonly #events: AsyncGenerator<NatsEvent>;
  #next: NatsEvent | undefined;

  constructor(log: NatsLog, selector: Selector, before: Seq | undefined) {
    this.#events = backwardsFrom(log, selector, before);
  }

  take(): NatsEvent | undefined {
    const event = this.#next;
    this.#next = undefined;
    return event;
  }

  async fetch(): Promise<boolean> {
    if (this.#next !== undefined) return true;
    const { done, value } = await this.#events.next();
    if (done) return false;
    this.#next = value;
    return true;
  }

  end(): Promise<number> {
    return Promise.resolve(Number.MAX_SAFE_INTEGER);
  }

  wake(): void {}

  close(): void {
    void this.#events.return(undefined);
  }
}

class Reader implements EventStream {
  readonly life: Life;
  readonly source: Source;
  readonly #watch: boolean;
  #left: number;
  #iterated = false;

  constructor(life: Life, source: Source, limit: number, watch: boolean) {
    this.life = life;
    this.source = source;
    this.#left = limit;
    this.#watch = watch;
  }

  /** Whether the limit is reached. */
  get isFull(): boolean {
    return this.#left === 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    if (this.#iterated) throw new TypeError('an event stream can be iterated once: call read() again');
    this.#iterated = true;
    return new Iteration(this, this.#watch, true);
  }

  history(): AsyncIterable<Event> {
    return { [Symbol.asyncIterator]: () => new Iteration(this, false, false) };
  }

  take(to: number): NatsEvent | undefined {
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
    const forget = this.#ended ? undefined : this.#reader.life.onEnd(() => this.#reader.source.wake());
    try {
      const event = this.#ended ? undefined : await this.#find();
      if (event === undefined) this.#end();
      return event === undefined ? done : { done: false, value: event };
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      forget?.();
      this.#running--;
    }
  }

  async #find(): Promise<NatsEvent | undefined> {
    this.#to ??= await this.#reader.source.end();
    while (!this.#ended) {
      const event = this.#reader.take(this.#to);
      if (event !== undefined) return event;
      if (this.#reader.isFull) return undefined;
      if (!(await this.#reader.source.fetch(this.#to, this.#wait))) {
        this.#reader.life.check();
        return undefined;
      }
    }
    return undefined;
  }
}
