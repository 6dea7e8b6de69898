import { type Context, withSignal } from '@samovar/context';

/** A call that streams. */
export interface Streaming {
  /** Its context is done. Cannot fail. */
  stop(): void;
}

/** Under what calls run, and how many do. */
export class Lifetime {
  /** Aborted: nothing new is taken in. */
  readonly intake: AbortSignal;
  /** Of calls with one answer: they may finish. */
  readonly work: Context;
  /** Of those that stream, which ends with the intake too. */
  readonly streaming: Context;
  readonly #streams = new Set<Streaming>();
  #calls = 0;
  #idle = () => {};

  constructor(intake: AbortSignal, work: Context) {
    this.intake = intake;
    this.work = work;
    this.streaming = withSignal(work, intake);
    // One listener for all: there may be thousands of streams, and each would need a signal of its own.
    const stop = () => {
      for (const stream of this.#streams) stream.stop();
    };
    this.streaming.signal.addEventListener('abort', stop, { once: true });
  }

  /** A call begins; disposal ends it. */
  begin(): Disposable {
    this.#calls++;
    return {
      [Symbol.dispose]: () => {
        this.#calls--;
        this.#look();
      },
    };
  }

  /** A call begins that is told when its context is done. */
  add(stream: Streaming): void {
    this.#streams.add(stream);
  }

  /** It is over. */
  remove(stream: Streaming): void {
    this.#streams.delete(stream);
    this.#look();
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #isIdle(): boolean {
    return this.#calls === 0 && this.#streams.size === 0;
  }

  #look(): void {
    if (this.#isIdle()) this.#idle();
  }
}
