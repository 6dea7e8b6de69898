import type { WorkerLeases, Workers } from '@samovar/activity';
import type { NatsWorkers } from './workers.ts';

/** Workers whose server is connected to when the first one joins. */
export class DeferredWorkers implements Workers, AsyncDisposable {
  readonly leaseMs: number;
  readonly #open: () => Promise<NatsWorkers>;
  #opened: Promise<NatsWorkers> | undefined;

  constructor(leaseMs: number, open: () => Promise<NatsWorkers>) {
    this.leaseMs = leaseMs;
    this.#open = open;
  }

  /** Connecting that fails is tried again with the next worker. */
  async join(): Promise<WorkerLeases> {
    if (this.#opened === undefined) {
      this.#opened = this.#open();
      this.#opened.catch(() => {
        this.#opened = undefined;
      });
    }
    return await (await this.#opened).join();
  }

  /** Workers are to be disposed before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
