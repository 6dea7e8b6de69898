import type { Handler, Logger } from '@samovar/eda';

/** One of those who share a subscription's events. */
export class Member {
  readonly handle: Handler;
  readonly logger: Logger | undefined;
  inFlight = 0;
  #onIdle: (() => void)[] = [];

  constructor(handle: Handler, logger: Logger | undefined) {
    this.handle = handle;
    this.logger = logger;
  }

  /** One of its handlers has settled, or was given up. */
  settled(): void {
    if (--this.inFlight > 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when none of its handlers is running; those that are given up do not count. */
  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
