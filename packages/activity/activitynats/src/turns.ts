/** Runs what is asked for under one key in the order in which it was asked for; what is under others, meanwhile. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<Result>(key: string, fn: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const result = before === undefined ? fn() : before.then(fn);
    const turn = result.catch(() => {});
    this.#last.set(key, turn);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }

  /** Resolves when all that was asked for is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
