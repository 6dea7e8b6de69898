import type { ActivityKey, Lease, Peers, Tail, WorkerLeases, Workers } from '@samovar/activity';
import { PeersNews } from '@samovar/activitycore';
import type { Context } from '@samovar/context';

/**
 * The leases of this process, which joins as a worker when it claims for the first time: what it joins need not be there
 * before. Joining that fails is tried again with the next claim.
 */
export class OwnLeases implements WorkerLeases {
  readonly #workers: Workers;
  readonly #news = new PeersNews();
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

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#news.listen(listener);
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
      joined.then(
        (leases) => leases.onPeers((peers) => this.#news.tell(peers)),
        () => {
          this.#joined = undefined;
        },
      );
    }
    return this.#joined;
  }
}
