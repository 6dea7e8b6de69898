import { type Context, withSignal } from '@samovar/context';

/** Under what calls run, and how many do. */
export class Lifetime {
  /** Aborted: nothing new is taken in. */
  readonly intake: AbortSignal;
  /** Of calls with one answer: they may finish. */
  readonly work: Context;
  /** Of those that stream, which ends with the intake too. */
  readonly streaming: Context;
  #calls = 0;
  #idle = () => {};

  constructor(intake: AbortSignal, work: Context) {
    this.intake = intake;
    this.work = work;
    this.streaming = withSignal(work, intake);
  }

  /** A call begins; disposal ends it. */
  begin(): Disposable {
    this.#calls++;
    return {
      [Symbol.dispose]: () => {
        this.#calls--;
        if (this.#calls === 0) this.#idle();
      },
    };
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#calls === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }
}
