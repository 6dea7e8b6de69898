import { InvalidActivityError, type Workers } from '@samovar/activity';
import type { Clock } from '@samovar/activitycore';
import { type Context, whenDone } from '@samovar/context';
import type { BackgroundService, Logger } from '@samovar/server';
import { StoppingError, TooManyWorkersError } from './errors.ts';
import { RemoteWorker } from './worker.ts';

interface Remote {
  readonly worker: Promise<RemoteWorker>;
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
    await Promise.all([...this.#remotes.keys()].map((name) => this.leave(name)));
  }

  /**
   * The worker of that name, who is alive and joins if it is not among those there are.
   *
   * @throws {InvalidActivityError} @throws {TooManyWorkersError} @throws {StoppingError}
   */
  async alive(name: string): Promise<RemoteWorker> {
    if (!/^[\w-]{16,100}$/.test(name)) throw new InvalidActivityError('worker', 'is no name of a worker');
    const known = this.#remotes.get(name);
    if (known === undefined) return await this.#join(name);
    known.silence[Symbol.dispose]();
    known.silence = this.#expect(name);
    return await known.worker;
  }

  /** The worker of that name, if it is among those there are; that is no sign of life. */
  async find(name: string): Promise<RemoteWorker | undefined> {
    return await this.#remotes.get(name)?.worker;
  }

  /** Gives back what the worker has. Never rejects. */
  async leave(name: string): Promise<void> {
    const remote = this.#remotes.get(name);
    if (remote === undefined) return;
    this.#forget(name, remote);
    try {
      await (await remote.worker)[Symbol.asyncDispose]();
    } catch (error) {
      this.#logger.warn('the leases of a remote worker could not be given back: they run out', { err: error });
    }
  }

  async #join(name: string): Promise<RemoteWorker> {
    if (this.#isStopped) throw new StoppingError();
    if (this.#remotes.size >= this.#most) throw new TooManyWorkersError(this.#most);
    const worker = this.#workers.join().then((leases) => new RemoteWorker(leases));
    const remote = { worker, silence: this.#expect(name) };
    this.#remotes.set(name, remote);
    try {
      return await worker;
    } catch (error) {
      this.#forget(name, remote);
      throw error;
    }
  }

  #expect(name: string): Disposable {
    return this.#clock.after(this.#workers.leaseMs, () => {
      this.#logger.info('a remote worker is silent: its leases are free', { worker: name });
      void this.leave(name);
    });
  }

  #forget(name: string, remote: Remote): void {
    remote.silence[Symbol.dispose]();
    if (this.#remotes.get(name) === remote) this.#remotes.delete(name);
  }
}
