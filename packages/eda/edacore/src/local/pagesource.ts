import type { Event } from '@samovar/eda';
import type { Seq } from '../ids.ts';
import type { ReaderLife, ReaderSource } from '../reader.ts';
import type { Reading } from '../reading.ts';
import type { Selector } from '../selector.ts';
import type { LocalLog, Page } from './locallog.ts';

/** Events asked for at once: few at first, as many readers want no more than that. */
const firstPage = 32;
const fullPage = 1000;

/** A reader's events, page by page. */
export class PageSource implements ReaderSource {
  readonly #log: LocalLog;
  readonly #life: ReaderLife;
  readonly #selector: Selector;
  readonly #backwards: boolean;
  #cursor: Seq;
  #page: Page['events'] = [];
  #index = 0;
  #pageSize = firstPage;
  /** Whether there is more behind the last page. */
  #more = false;
  #wake: (() => void) | undefined;

  constructor(log: LocalLog, life: ReaderLife, { selector, after, backwards }: Reading) {
    this.#log = log;
    this.#life = life;
    this.#selector = selector;
    this.#backwards = backwards;
    this.#cursor = after ?? (backwards ? Number.MAX_SAFE_INTEGER : 0);
  }

  take(to: Seq): Event | undefined {
    for (;;) {
      const event = this.#page[this.#index];
      if (event === undefined || event.seq > to) return undefined;
      this.#index++;
      if (!this.#log.isErased(event.seq)) return event;
    }
  }

  fetch(to: Seq, wait: boolean, limit: number): boolean | Promise<boolean> {
    if (this.#isThrough(to)) return false;
    return this.#more ? this.#fetchInTurn(to, wait, limit) : this.#fetch(to, wait, limit);
  }

  end(): Seq {
    return this.#backwards ? Number.MAX_SAFE_INTEGER : this.#log.tip();
  }

  wake(): void {
    this.#wake?.();
  }

  close(): void {}

  /** Whether nothing up to `to` is on a further page. */
  #isThrough(to: Seq): boolean {
    return this.#index < this.#page.length || (this.#backwards ? this.#cursor === 0 : this.#cursor >= to);
  }

  /** Others get their turn between the pages of a long read. */
  async #fetchInTurn(to: Seq, wait: boolean, limit: number): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#life.check();
    return this.#fetch(to, wait, limit);
  }

  #fetch(to: Seq, wait: boolean, most: number): boolean | Promise<boolean> {
    const limit = Math.min(most, this.#pageSize);
    const request = { from: this.#cursor, to, limit, backwards: this.#backwards };
    const { events, cursor, more } = this.#log.page(this.#selector, request);
    this.#pageSize = Math.min(this.#pageSize * 4, fullPage);
    this.#page = events;
    this.#index = 0;
    this.#cursor = cursor;
    this.#more = more;
    // Whatever is new since is found by the next fetch, as nothing ran between this page and the wait.
    return wait && !more && events.length === 0 ? this.#news() : true;
  }

  /** Resolves when there may be new events, or no reason to wait any longer. */
  #news(): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wake = undefined;
        for (const stop of stops) stop();
        resolve(true);
      };
      this.#wake = wake;
      const stops = [this.#log.wakes.add(this.#selector, wake), this.#life.onEnd(wake)];
    });
  }
}
