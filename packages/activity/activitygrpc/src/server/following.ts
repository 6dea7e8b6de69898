import type { EntityRef, Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { history } from './history.ts';
import type { Result, Watcher } from './watcher.ts';
import type { SharedWatches } from './watches.ts';

const over: Result = { done: true, value: undefined };

/**
 * An entity's events behind one, those that are there and those that come. It reads the log until it is at its end, then
 * shares the watch of others; whenever it has fallen behind that, it reads the log again. No generator, as there may be
 * thousands that wait: `next` is called once at a time, `return` at any time.
 */
export class Following implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #ctx: Context;
  #entity: EntityRef;
  readonly #watches: SharedWatches;
  #tail: Tail;
  #history: ReturnType<typeof history> | undefined;
  #watcher: Watcher | undefined;
  #isFirst = true;
  #isOver = false;

  /** The log is read under `ctx`, which does not end the waiting for more. */
  constructor(ctx: Context, entity: EntityRef, after: Tail, watches: SharedWatches) {
    this.#ctx = ctx;
    this.#entity = entity;
    this.#tail = after;
    this.#watches = watches;
    this.#history = this.#read();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A promise that waits is all that it keeps for it. */
  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#watcher?.isLate) this.#fallBack(this.#watcher);
      if (this.#watcher !== undefined) this.#watcher.take(resolve);
      else this.#catchUp(resolve).catch(reject);
    });
  }

  async return(): Promise<Result> {
    this.#isOver = true;
    this.#watcher?.leave();
    await this.#history?.return(undefined);
    return over;
  }

  /** Resolves with what is in the log; at its end, with what the watch gives. */
  async #catchUp(resolve: (result: Result | Promise<Result>) => void): Promise<void> {
    while (this.#history !== undefined && !this.#isOver) {
      const { done, value } = await this.#history.next();
      if (!done) return resolve({ done: false, value });
      this.#history = undefined;
      const wasNew = value !== undefined || this.#isFirst;
      this.#isFirst = false;
      this.#tail = value ?? this.#tail;
      // Others were given more meanwhile, which the log has; if it has not, that was erased, and their watch is of no use.
      if (wasNew && !this.#watches.reaches(this.#entity, this.#tail)) this.#history = this.#read(true);
    }
    if (this.#isOver) return resolve(over);
    this.#watcher = this.#watches.join(this.#entity, this.#tail);
    // Equal to its own, which thousands need not keep.
    this.#entity = this.#watcher.entity;
    this.#tail = this.#watcher.position;
    this.#watcher.take(resolve);
  }

  #fallBack({ position }: Watcher): void {
    this.#watcher = undefined;
    this.#tail = position;
    this.#history = this.#read(true);
  }

  #read(again = false): ReturnType<typeof history> {
    return history(this.#watches.read(this.#ctx, this.#entity, this.#tail), again);
  }
}
