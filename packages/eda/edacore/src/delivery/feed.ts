import type { Backend } from '../backend.ts';
import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Selector } from '../selector.ts';

const pageSize = 500;

/** What a feed tells. */
export interface FeedEvents {
  /** Nothing matched in what was looked through; `more`: there may be events behind it. */
  onPassed(more: boolean): void;
  onError(error: unknown): void;
}

/** The events of a subscription that are not handed out yet, in log order. */
export class Feed {
  readonly #backend: Backend;
  readonly #selector: Selector;
  readonly #events: FeedEvents;
  #cursor: Seq;
  #page: readonly StoredEvent[] = [];
  #index = 0;
  /** Whether there may be events behind the page. */
  #more = true;

  /** Begins behind `cursor`. */
  constructor(backend: Backend, selector: Selector, cursor: Seq, events: FeedEvents) {
    this.#backend = backend;
    this.#selector = selector;
    this.#cursor = cursor;
    this.#events = events;
  }

  /** Where the next event is; at least. */
  get next(): Seq {
    return this.#page[this.#index]?.seq ?? this.#cursor + 1;
  }

  /** Looks for events behind the last one seen again. */
  lookAgain(): void {
    this.#more = true;
  }

  /** The next event, if it is at hand now. */
  take(): StoredEvent | undefined {
    if (this.#index === this.#page.length && !this.#fetch()) return undefined;
    return this.#page[this.#index++];
  }

  #fetch(): boolean {
    if (!this.#more) return false;
    const request = { from: this.#cursor, to: Number.MAX_SAFE_INTEGER, limit: pageSize, backwards: false };
    try {
      const page = this.#backend.page(this.#selector, request);
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
