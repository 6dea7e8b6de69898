/** What the outbox and the relay of one process tell each other, so that neither waits for its next look. */
export class Wakes {
  readonly #gone = new Set<() => void>();
  #onAdded: (stream: string) => void = () => {};
  #onSkipped: (stream: string) => void = () => {};

  /** Called from now on where rows were added, and where a stuck one was given up. There is one relay. */
  listen(onAdded: (stream: string) => void, onSkipped: (stream: string) => void): void {
    this.#onAdded = onAdded;
    this.#onSkipped = onSkipped;
  }

  added(stream: string): void {
    this.#onAdded(stream);
  }

  skipped(stream: string): void {
    this.#onSkipped(stream);
    this.gone();
  }

  /** Rows were sent or given up. */
  gone(): void {
    for (const then of this.#gone) then();
  }

  /** Calls `then` whenever rows are gone, until it is disposed. */
  onGone(then: () => void): Disposable {
    this.#gone.add(then);
    return { [Symbol.dispose]: () => void this.#gone.delete(then) };
  }
}
