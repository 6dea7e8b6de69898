/** Something to wait for that may have happened before. */
export class Nudge {
  #happened = false;
  #wake: (() => void) | undefined;

  nudge(): void {
    this.#happened = true;
    this.#wake?.();
  }

  /** Resolves when nudged since the last wait, or after `ms`. One waits at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.#happened && ms > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#happened = false;
  }
}
