import { InvalidActivityError, type Leases, type WorkerLeases, type Workers } from '@samovar/activity';
import type { Clock } from '@samovar/activitycore';
import { type Context, whenDone } from '@samovar/context';
import type { BackgroundService, Logger } from '@samovar/server';
import { StoppingError, TooManyWorkersError } from './errors.ts';

interface Remote {
  readonly leases: Promise<WorkerLeases>;
  /** Runs out when the worker has given no sign of life for the lease time. */
  silence: Disposable;
}

/** Holds leases for workers elsewhere, as long as they give signs of life. Its end gives them all back. */
export class RemoteWorkers implements BackgroundService {
  readonly name = 'remote-workers';
  readonly #workers: Workers;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #remotes = new Map<string, Remote>();
  #isStopped = false;

  /** At most `most` at a time. */
  constructor(workers: Workers, options: { readonly most: number; readonly clock: Clock; readonly logger: Logger }) {
    this.#workers = workers;
    this.#most = options.most;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  get leaseMs(): number {
    return this.#workers.leaseMs;
  }

  isDisabled(): boolean {
    return false;
  }

  async run(ctx: Context): Promise<void> {
    await whenDone(ctx);
    this.#isStopped = true;
    await Promise.all([...this.#remotes.keys()].map((worker) => this.leave(worker)));
  }

  /**
   * The leases of the worker, who is alive and joins if it is not among those there are.
   *
   * @throws {InvalidActivityError} @throws {TooManyWorkersError} @throws {StoppingError}
   */
  async alive(worker: string): Promise<Leases> {
    if (!/^[\w-]{16,100}$/.test(worker)) throw new InvalidActivityError('worker', 'is no name of a worker');
    const known = this.#remotes.get(worker);
    if (known === undefined) return await this.#join(worker);
    known.silence[Symbol.dispose]();
    known.silence = this.#expect(worker);
    return await known.leases;
  }

  /** Its leases, if it is among those there are; that is no sign of life. */
  async find(worker: string): Promise<Leases | undefined> {
    return await this.#remotes.get(worker)?.leases;
  }

  /** Gives back what the worker has. Never rejects. */
  async leave(worker: string): Promise<void> {
    const remote = this.#remotes.get(worker);
    if (remote === undefined) return;
    this.#forget(worker, remote);
    try {
      await (await remote.leases)[Symbol.asyncDispose]();
    } catch (error) {
      this.#logger.warn('the leases of a remote worker could not be given back: they run out', { err: error });
    }
  }

  async #join(worker: string): Promise<Leases> {
    if (this.#isStopped) throw new StoppingError();
    if (this.#remotes.size >= this.#most) throw new TooManyWorkersError(this.#most);
    const remote = { leases: this.#workers.join(), silence: this.#expect(worker) };
    this.#remotes.set(worker, remote);
    try {
      return await remote.leases;
    } catch (error) {
      this.#forget(worker, remote);
      throw error;
    }
  }

  #expect(worker: string): Disposable {
    return this.#clock.after(this.#workers.leaseMs, () => {
      this.#logger.info('a remote worker is silent: its leases are free', { worker });
      void this.leave(worker);
    });
  }

  #forget(worker: string, remote: Remote): void {
    remote.silence[Symbol.dispose]();
    if (this.#remotes.get(worker) === remote) this.#remotes.delete(worker);
  }
}
