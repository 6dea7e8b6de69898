import type { EntityRef } from '@samovar/activity';
import type { EventId } from '@samovar/eda';
import type { News } from './news.ts';

export type Result = IteratorResult<Uint8Array, undefined>;

/** What watchers share. */
interface Source {
  readonly entity: EntityRef;
  remove(watcher: Watcher): void;
}

/** Bytes that wait for one watcher; of what is more than that, it reads the log by itself. */
const mostWaiting = 256 * 1024;

const over: Result = { done: true, value: undefined };

/** One of those who share a watch. There may be many, and most wait: what is not needed for that is made later. */
export class Watcher {
  readonly #source: Source;
  #position: EventId | null;
  #waiting: News[] | undefined;
  #bytes = 0;
  #wake: ((result: Result | Promise<Result>) => void) | undefined;
  #ended: (() => Promise<Result>) | undefined;
  #isLate = false;

  /** Has got everything up to `position`. It removes itself from `source` when it wants no more. */
  constructor(position: EventId | null, source: Source) {
    this.#position = position;
    this.#source = source;
  }

  /** The same object for all who share. */
  get entity(): EntityRef {
    return this.#source.entity;
  }

  /** Whatever is behind is yet to be taken. */
  get position(): EventId | null {
    return this.#position;
  }

  /** Whether it has left, because it took too little: what is behind its position is in the log. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Resolves with the next response, as soon as there is one. One call at a time. */
  take(resolve: (result: Result | Promise<Result>) => void): void {
    const news = this.#waiting?.shift();
    if (news !== undefined) {
      this.#bytes -= news.response.byteLength;
      resolve(this.#responseOf(news));
    } else if (this.#ended !== undefined) resolve(this.#ended());
    else {
      this.#waiting = undefined;
      this.#wake = resolve;
    }
  }

  /** Events it has got already are left out. */
  offer(news: News): void {
    if (this.#position !== null && news.last <= this.#position) return;
    if (this.#wake !== undefined) this.#answer(this.#responseOf(news));
    else if (this.#bytes < mostWaiting) this.#keep(news);
    else this.#giveUp();
  }

  /** Nothing comes any more behind what waits. */
  end(): void {
    this.#finish(() => Promise.resolve(over));
  }

  /** As {@link end}, and then it throws. */
  fail(error: unknown): void {
    this.#finish(() => Promise.reject(error));
  }

  /** Wants no more; who waits is told that it is over. */
  leave(): void {
    this.#waiting = undefined;
    this.#source.remove(this);
    this.end();
  }

  #keep(news: News): void {
    this.#waiting ??= [];
    this.#waiting.push(news);
    this.#bytes += news.response.byteLength;
  }

  #responseOf(news: News): Result {
    const value = news.behind(this.#position);
    this.#position = news.last;
    return { done: false, value };
  }

  #giveUp(): void {
    this.#isLate = true;
    this.#waiting = undefined;
    this.#source.remove(this);
  }

  #finish(ended: () => Promise<Result>): void {
    this.#ended ??= ended;
    if (this.#wake !== undefined) this.#answer(ended());
  }

  #answer(result: Result | Promise<Result>): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(result);
  }
}
