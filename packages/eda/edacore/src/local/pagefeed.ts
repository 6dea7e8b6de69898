import type { Feed, FeedEvents } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Selector } from '../selector.ts';
import type { LocalLog } from './locallog.ts';

const pageSize = 500;

/** What matches behind a place, page by page. */
export class PageFeed implements Feed {
  readonly #log: LocalLog;
  readonly #selector: Selector;
  readonly #events: FeedEvents;
  readonly #stopWaking: () => void;
  #cursor: Seq;
  #page: readonly StoredEvent[] = [];
  #index = 0;
  /** Whether there may be events behind the page. */
  #more = true;

  /** Begins behind `cursor`. */
  constructor(log: LocalLog, selector: Selector, cursor: Seq, events: FeedEvents) {
    this.#log = log;
    this.#selector = selector;
    this.#cursor = cursor;
    this.#events = events;
    this.#stopWaking = log.wakes.add(selector, () => this.lookAgain());
  }

  get next(): Seq {
    return this.#page[this.#index]?.seq ?? this.#cursor + 1;
  }

  take(): StoredEvent | undefined {
    if (this.#index === this.#page.length && !this.#fetch()) return undefined;
    return this.#page[this.#index++];
  }

  lookAgain(): void {
    this.#more = true;
    this.#events.onMore();
  }

  behind(taken: number): number {
    return Math.max(0, this.#log.extent(this.#selector).events - taken);
  }

  close(): void {
    this.#stopWaking();
  }

  #fetch(): boolean {
    if (!this.#more) return false;
    const request = { from: this.#cursor, to: Number.MAX_SAFE_INTEGER, limit: pageSize, backwards: false };
    try {
      const page = this.#log.page(this.#selector, request);
      this.#page = page.events;
      this.#index = 0;
      this.#cursor = page.cursor;
      this.#more = page.more;
    } catch (error) {
      this.#events.onError(error);
      return false;
    }
    if (this.#page.length > 0) return true;
    this.#events.onPassed(this.#more);
    return false;
  }
}
