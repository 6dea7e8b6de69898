import type { Feed, FeedEvents } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Selector } from '../selector.ts';
import type { LocalLog, PageRequest } from './locallog.ts';

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
  /** How many events there were at the last count. */
  #count = 0;

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

  /** Exact where little is left. Of much, what was erased after it was taken is missing. */
  behind(taken: number): number {
    const left = this.#page.length - this.#index;
    if (!this.#more) return left;
    const next = this.#log.page(this.#selector, this.#request);
    const least = left + next.events.length;
    return next.more ? Math.max(least, this.#counted() - taken) : least;
  }

  close(): void {
    this.#stopWaking();
  }

  #fetch(): boolean {
    if (!this.#more) return false;
    try {
      const page = this.#log.page(this.#selector, this.#request);
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

  get #request(): PageRequest {
    return { from: this.#cursor, to: Number.MAX_SAFE_INTEGER, limit: pageSize, backwards: false };
  }

  /** As it was at the call before, where counting takes a while. */
  #counted(): number {
    const count = this.#log.count(this.#selector);
    if (typeof count === 'number') this.#count = count;
    else {
      count.then(
        (events) => {
          this.#count = events;
        },
        () => {},
      );
    }
    return this.#count;
  }
}
