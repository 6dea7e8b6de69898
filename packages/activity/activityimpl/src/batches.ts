interface Waiting<Change> {
  readonly key: string;
  readonly change: Change;
  readonly done: PromiseWithResolvers<unknown>;
}

/** A change to one row, under its key. */
export type Batch<Change> = ReadonlyMap<string, Change>;

const largest = 500;

/**
 * Gathers changes that are asked for at about the same time, to make them together. Those of one key are made in the
 * order in which they were asked for.
 */
export class Batches<Change, Result> {
  readonly #make: (batch: Batch<Change>) => Promise<ReadonlyMap<string, Result>>;
  #waiting: Waiting<Change>[] = [];
  #running: Promise<void> | undefined;

  /** `make` makes one change for each of several keys, and gives the results of those that had an effect. */
  constructor(make: (batch: Batch<Change>) => Promise<ReadonlyMap<string, Result>>) {
    this.#make = make;
  }

  /** undefined: it had no effect. */
  add(key: string, change: Change): Promise<Result | undefined> {
    const done = Promise.withResolvers<unknown>();
    this.#waiting.push({ key, change, done });
    this.#running ??= this.#run();
    return done.promise as Promise<Result | undefined>;
  }

  /** Resolves when all that was asked for is done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whoever asks in this turn, too, is part of it.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#take();
      try {
        const results = await this.#make(new Map([...batch].map(([key, { change }]) => [key, change])));
        for (const [key, { done }] of batch) done.resolve(results.get(key));
      } catch (error) {
        for (const { done } of batch.values()) done.reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): Map<string, Waiting<Change>> {
    const batch = new Map<string, Waiting<Change>>();
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (batch.size === largest || batch.has(waiting.key)) break;
      batch.set(waiting.key, waiting);
      taken++;
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }
}
