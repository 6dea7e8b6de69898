import pLimit from 'p-limit';

const atOnce = 64;

/** What was started, in groups: each is stopped as a whole, in the opposite order of its starts. */
export class Started {
  readonly #groups = new Map<string, AsyncDisposableStack>();

  /** Starts the group, unless it is there. Nothing is left of one that fails to start. @throws what `start` throws. */
  async start(group: string, start: (stack: AsyncDisposableStack) => Promise<void>): Promise<void> {
    if (this.#groups.has(group)) return;
    const stack = new AsyncDisposableStack();
    this.#groups.set(group, stack);
    try {
      await start(stack);
    } catch (error) {
      await this.stop(group);
      throw error;
    }
  }

  /** Resolves when all of the group has stopped. Stopping what is not there is no error. */
  async stop(group: string): Promise<void> {
    const stack = this.#groups.get(group);
    this.#groups.delete(group);
    await stack?.disposeAsync();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((group) => this.stop(group)));
  }
}

/** Runs `fn` for each item, many at a time. @throws what one of them throws first, when all have settled. */
export async function forEach<T>(items: readonly T[], fn: (item: T) => Promise<void>): Promise<void> {
  const turns = pLimit(atOnce);
  const results = await Promise.allSettled(items.map((item) => turns(() => fn(item))));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
