import type { Peers, WorkerLeases } from '@samovar/activity';

/** A worker elsewhere, as one of those that share the activities. Disposal gives its leases back. */
export class RemoteWorker implements AsyncDisposable {
  readonly leases: WorkerLeases;
  readonly #listener: Disposable;
  #peers: Peers | undefined;

  constructor(leases: WorkerLeases) {
    this.leases = leases;
    this.#listener = leases.onPeers((peers) => {
      this.#peers = peers;
    });
  }

  /** The workers that share the activities, once they are known. */
  get peers(): Peers | undefined {
    return this.#peers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener[Symbol.dispose]();
    await this.leases[Symbol.asyncDispose]();
  }
}
