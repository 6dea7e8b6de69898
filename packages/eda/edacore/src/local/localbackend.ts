import type { Context } from '@samovar/context';
import type { EventStream, StreamInfo } from '@samovar/eda';
import type { Append, Head } from '../append.ts';
import type { Backend, Closing, Feed, FeedEvents, LogEvent } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import { encodeId, type Seq } from '../ids.ts';
import { Reader, ReaderLife } from '../reader.ts';
import type { Reading } from '../reading.ts';
import type { Selector } from '../selector.ts';
import type { Offset, Subscriptions } from '../stored.ts';
import type { LocalLog } from './locallog.ts';
import { PageFeed } from './pagefeed.ts';
import { PageSource } from './pagesource.ts';

const streamPage = 500;

/** A log that this process has open itself, for connections and subscriptions. */
export class LocalBackend implements Backend {
  readonly mostCommitBytes = Number.POSITIVE_INFINITY;
  readonly #log: LocalLog;

  constructor(log: LocalLog) {
    this.#log = log;
  }

  get number(): number {
    return this.#log.number;
  }

  get leaseMs(): number {
    return this.#log.leaseMs;
  }

  get now(): () => number {
    return this.#log.now ?? Date.now;
  }

  get subscriptions(): Subscriptions {
    return this.#log.subscriptions;
  }

  append(append: Append): void {
    this.#log.append(append);
  }

  read(ctx: Context, closing: Closing, reading: Reading): EventStream {
    const life = new ReaderLife(ctx, closing);
    return new Reader(life, new PageSource(this.#log, life, reading), reading);
  }

  async head(_ctx: Context, stream: string): Promise<Head | undefined> {
    return this.#log.head(stream);
  }

  async *streams(selector: Selector, check: () => void): AsyncGenerator<StreamInfo> {
    const { number } = this.#log;
    let after: string | undefined = '';
    while (after !== undefined) {
      check();
      const page = this.#log.streams(selector, after, streamPage);
      for (const { name, head, events } of page.streams) {
        yield { stream: name, head: encodeId(number, head.seq, true, head.clock), events };
      }
      after = page.next;
    }
  }

  erase(ctx: Context, stream: string): Promise<void> {
    return this.#log.erase(ctx, stream);
  }

  isErased(event: LogEvent): boolean {
    return this.#log.isErased(event.seq);
  }

  async at(seqs: readonly Seq[]): Promise<StoredEvent[]> {
    return this.#log.at(seqs);
  }

  async lastUpTo(selector: Selector, seq: Seq): Promise<StoredEvent | undefined> {
    const request = { from: seq + 1, to: Number.MAX_SAFE_INTEGER, limit: 1, backwards: true };
    return this.#log.page(selector, request).events[0];
  }

  feed(selector: Selector, after: Seq, events: FeedEvents): Feed {
    return new PageFeed(this.#log, selector, after, events);
  }

  async atEnd(selector: Selector): Promise<Offset> {
    const high = this.#log.tip();
    return { high, pending: [], acked: await this.#log.count(selector), last: null };
  }

  async reach(_selector: Selector, seq?: Seq): Promise<Seq> {
    return seq ?? this.#log.tip();
  }

  lag(selector: Selector, { acked }: Offset): number | Promise<number> {
    const count = this.#log.count(selector);
    return typeof count === 'number' ? Math.max(0, count - acked) : count.then((events) => Math.max(0, events - acked));
  }

  drained(): Promise<void> {
    return this.#log.drained();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
