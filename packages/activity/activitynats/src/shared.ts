import { setImmediate } from 'node:timers/promises';

/**
 * What many ask for at about the same time, done once for all of them: each gets the result of a run that has begun after
 * it asked. One run at a time.
 */
export class Shared<Result> {
  readonly #fn: () => Promise<Result>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Result> | undefined;

  constructor(fn: () => Promise<Result>) {
    this.#fn = fn;
  }

  run(): Promise<Result> {
    this.#next ??= this.#runNext();
    return this.#next;
  }

  /** Resolves when nobody waits for it. */
  async idle(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#running;
  }

  async #runNext(): Promise<Result> {
    await this.#running;
    // Whoever asks in this turn, too, is part of it.
    await setImmediate();
    this.#next = undefined;
    const run = this.#fn();
    this.#running = run.catch(() => {});
    return await run;
  }
}
