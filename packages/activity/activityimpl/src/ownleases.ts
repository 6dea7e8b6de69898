import type { ActivityKey, Lease, Tail, WorkerLeases, Workers } from '@samovar/activity';
import type { Context } from '@samovar/context';

/**
 * The leases of this process, which joins as a worker when it claims for the first time: what it joins need not be there
 * before. Joining that fails is tried again with the next claim.
 */
export class OwnLeases implements WorkerLeases {
  readonly #workers: Workers;
  #joined: Promise<WorkerLeases> | undefined;
  #isDisposed = false;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    return await (await this.#join()).claim(ctx, activity);
  }

  async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await (await this.#join()).storeTail(ctx, lease, tail);
  }

  async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    await (await this.#join()).complete(ctx, lease, tail);
  }

  async release(ctx: Context, lease: Lease): Promise<void> {
    await (await this.#join()).release(ctx, lease);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await (await this.#joined?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  #join(): Promise<WorkerLeases> {
    if (this.#isDisposed && this.#joined === undefined) throw new TypeError('the leases are closed');
    if (this.#joined === undefined) {
      const joined = this.#workers.join();
      this.#joined = joined;
      joined.catch(() => {
        this.#joined = undefined;
      });
    }
    return this.#joined;
  }
}
