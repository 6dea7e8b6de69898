import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import {
  type Closing,
  maxCommit,
  Reader,
  ReaderLife,
  type ReaderSource,
  type Reading,
  type Selector,
  type Seq,
} from '@samovar/edacore';
import { backwardsFrom } from './backwards.ts';
import type { NatsEvent } from './event.ts';
import type { NatsLog } from './natslog.ts';
import { Scan } from './scan.ts';

export function newReader(log: NatsLog, closing: Closing, ctx: Context, reading: Reading): EventStream {
  const { selector, after, backwards } = reading;
  const life = new ReaderLife(ctx, closing);
  const source = backwards ? new Backwards(log, selector, after) : new Forwards(log, selector, after, life);
  return new Reader(life, source, reading);
}

class Forwards implements ReaderSource {
  readonly #log: NatsLog;
  readonly #selector: Selector;
  readonly #life: ReaderLife;
  readonly #after: Seq;
  readonly #scan: Scan;
  #events: NatsEvent[] = [];
  #index = 0;
  #seen: number;

  constructor(log: NatsLog, selector: Selector, after: Seq | undefined, life: ReaderLife) {
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
    const forget = this.#life.onEnd(() => this.wake());
    try {
      await (wait ? this.#scan.more() : this.#scan.moreSoon());
    } finally {
      forget();
    }
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

class Backwards implements ReaderSource {
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

  end(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  wake(): void {}

  close(): void {
    void this.#events.return(undefined);
  }
}
