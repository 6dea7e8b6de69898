import { type Context, throwIfDone } from '@samovar/context';

/** Names of streams with news, each once, however often it is added, until they are taken. */
export class News {
  readonly #ctx: Context;
  #streams = new Set<string>();
  #wake = () => {};

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  add(stream: string): void {
    this.#streams.add(stream);
    this.#wake();
  }

  /** Takes what there is, as soon as there is something. @throws why the context is done, if that is first. */
  async next(): Promise<string[]> {
    throwIfDone(this.#ctx);
    if (this.#streams.size === 0) await this.#added();
    throwIfDone(this.#ctx);
    const streams = this.#streams;
    this.#streams = new Set();
    return [...streams];
  }

  /** Resolves when something was added, or the context is done. */
  #added(): Promise<void> {
    const { signal } = this.#ctx;
    return new Promise((resolve) => {
      this.#wake = () => {
        signal.removeEventListener('abort', this.#wake);
        this.#wake = () => {};
        resolve();
      };
      signal.addEventListener('abort', this.#wake);
    });
  }
}
