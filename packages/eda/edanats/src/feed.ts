import { type Feed, type FeedEvents, maxCommit, type Selector, type Seq } from '@samovar/edacore';
import type { NatsEvent } from './event.ts';
import type { Source } from './names.ts';
import type { NatsLog } from './natslog.ts';
import { Scan } from './scan.ts';
import { summaryOf } from './summary.ts';

/** Milliseconds until what there is behind the last message is held to come no more by itself. */
const patience = 2_000;

/** What matches behind a place, as a consumer of its own hands it over. */
export class NatsFeed implements Feed {
  readonly #log: NatsLog;
  readonly #source: Source;
  readonly #on: FeedEvents;
  readonly #scan: Scan;
  #events: readonly NatsEvent[] = [];
  #index = 0;
  /** Behind the last message taken. */
  #next: Seq;
  #isLooking = false;
  #closed = false;

  constructor(log: NatsLog, selector: Selector, after: Seq, on: FeedEvents) {
    this.#log = log;
    this.#source = log.names.events(selector.text);
    this.#on = on;
    this.#next = after + 1;
    const from = Math.max(1, positionOf(this.#next));
    this.#scan = new Scan(log, { source: this.#source, from }, () => on.onMore());
    this.#scan.begin();
  }

  get next(): Seq {
    const event = this.#events[this.#index];
    return event?.seq ?? Math.max(this.#next, firstOf(this.#scan.peek()?.position ?? 0));
  }

  take(): NatsEvent | undefined {
    let passed = false;
    for (;;) {
      const event = this.#events[this.#index];
      if (event !== undefined) {
        this.#index++;
        return event;
      }
      if (!this.#decode()) break;
      passed = true;
    }
    if (passed) this.#on.onPassed(false);
    return undefined;
  }

  /** A consumer of server 2.9 may have been made to pass over messages, by what an operator did to others. */
  lookAgain(): void {
    this.#on.onMore();
    if (!this.#isLooking && !this.#closed) void this.#look();
  }

  behind(): number {
    if (!this.#scan.isAsking) void this.#scan.count().catch(() => {});
    const queued = this.#scan.queued.reduce((sum, { msg }) => sum + (summaryOf(msg)?.events ?? 1), 0);
    return this.#events.length - this.#index + queued + this.#scan.pending;
  }

  close(): void {
    this.#closed = true;
    this.#scan.close();
  }

  /** Goes on to the next message of those at hand. */
  #decode(): boolean {
    const message = this.#scan.peek();
    if (message === undefined) return false;
    this.#scan.skip();
    const from = this.#next;
    this.#next = firstOf(message.position + 1);
    const events = this.#log.eventsIn(this.#log.decoded(message));
    // Of the first message, some may have been taken before.
    this.#events = from > firstOf(message.position) ? events.filter(({ seq }) => seq >= from) : events;
    this.#index = 0;
    return true;
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      const last = await this.#log.lastPosition(undefined, this.#source);
      if (firstOf(last) < this.next) return;
      await new Promise((resolve) => setTimeout(resolve, patience));
      if (this.#closed || this.#scan.peek() !== undefined || firstOf(last) < this.next) return;
      if ((await this.#log.lastPosition(undefined, this.#source)) >= last && !this.#closed) await this.#scan.restart();
    } catch (error) {
      if (!this.#closed) this.#on.onError(error);
    } finally {
      this.#isLooking = false;
    }
  }
}

function positionOf(seq: Seq): number {
  return Math.floor(seq / maxCommit);
}

/** Where the events of the message at `position` begin. */
function firstOf(position: number): Seq {
  return position * maxCommit;
}
