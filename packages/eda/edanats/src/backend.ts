import type { Context } from '@samovar/context';
import type { EventStream, StreamInfo } from '@samovar/eda';
import {
  type Append,
  type Backend,
  type Closing,
  type Feed,
  type FeedEvents,
  type Head,
  maxCommit,
  type Offset,
  type Parked,
  type Reading,
  type Selector,
  type Seq,
} from '@samovar/edacore';
import { backwardsFrom } from './backwards.ts';
import type { NatsEvent } from './event.ts';
import { NatsFeed } from './feed.ts';
import { streamsOf } from './listing.ts';
import type { NatsLog } from './natslog.ts';
import { newReader } from './reading.ts';
import { Scan } from './scan.ts';
import { NatsSubscriptions } from './subscriptions/subscriptions.ts';

/** Messages asked for at once. */
const atOnce = 64;

/**
 * A log on a server, for connections and subscriptions. JetStream's durable consumers are not used: the process that
 * delivers a subscription reads through a consumer of its own that knows nothing, and stores an exact offset. So
 * nothing comes again by the server's clock, no acknowledgement is sent for each message, what is parked is stored with
 * the offset, and keys, order and leases mean what they mean in a log in a file.
 */
export class NatsBackend implements Backend {
  readonly leaseMs = 6000;
  readonly subscriptions: NatsSubscriptions;
  readonly #log: NatsLog;

  constructor(log: NatsLog) {
    this.#log = log;
    this.subscriptions = new NatsSubscriptions(log);
  }

  get number(): number {
    return this.#log.number;
  }

  get mostCommitBytes(): number {
    return this.#log.maxBytes;
  }

  append(append: Append): void {
    this.#log.publisher.publish(append);
  }

  read(ctx: Context, closing: Closing, reading: Reading): EventStream {
    return newReader(this.#log, closing, ctx, reading);
  }

  head(ctx: Context, stream: string): Promise<Head | undefined> {
    return this.#log.head(ctx, stream);
  }

  streams(selector: Selector, check: () => void): AsyncIterable<StreamInfo> {
    return streamsOf(this.#log, selector, check);
  }

  erase(ctx: Context, stream: string): Promise<void> {
    return this.#log.erasures.erase(ctx, stream);
  }

  isErased({ stream, seq }: NatsEvent): boolean {
    return this.#log.erasures.has(stream, positionOf(seq));
  }

  async at(seqs: readonly Seq[]): Promise<NatsEvent[]> {
    const positions = [...new Set(seqs.map(positionOf))];
    const found = new Map<Seq, NatsEvent>();
    for (let from = 0; from < positions.length; from += atOnce) {
      const asked = positions.slice(from, from + atOnce).map((position) => this.#log.at(undefined, position));
      for (const stored of await Promise.all(asked)) {
        for (const event of stored === undefined ? [] : this.#log.eventsIn(stored)) found.set(event.seq, event);
      }
    }
    return seqs.flatMap((seq) => found.get(seq) ?? []);
  }

  async lastUpTo(selector: Selector, seq: Seq): Promise<NatsEvent | undefined> {
    for await (const event of backwardsFrom(this.#log, selector, seq + 1)) return event;
    return undefined;
  }

  feed(selector: Selector, after: Seq, events: FeedEvents): Feed {
    return new NatsFeed(this.#log, selector, after, events);
  }

  async atEnd(): Promise<Offset> {
    return { high: endOf(await this.#log.tip(undefined)), pending: [], acked: 0, last: null };
  }

  async reach(selector: Selector, seq = Number.POSITIVE_INFINITY): Promise<Seq> {
    const last = await this.#log.lastPosition(undefined, this.#log.names.events(selector.text));
    return last === 0 ? 0 : Math.min(seq, endOf(last));
  }

  async lag(selector: Selector, { high, pending }: Offset, parked: Parked): Promise<number> {
    const source = this.#log.names.events(selector.text);
    const scan = new Scan(this.#log, { source, from: positionOf(high + 1) });
    try {
      await scan.open();
      return scan.pending + pending.length + parked.count() + parked.countWaiting();
    } finally {
      scan.close();
    }
  }

  drained(): Promise<void> {
    return this.#log.publisher.settled();
  }

  async close(): Promise<void> {
    await this.drained();
    this.subscriptions.close();
    await this.#log.close();
  }
}

function positionOf(seq: Seq): number {
  return Math.floor(seq / maxCommit);
}

/** Behind which all events of the message at `position` are, itself included. */
function endOf(position: number): Seq {
  return (position + 1) * maxCommit - 1;
}
