import type { EntityKind } from '@samovar/activity';
import { backoff, type PolicyHost, type Task } from '@samovar/activitycore';
import { background, type CancelScope, withCancel } from '@samovar/context';
import { Connection } from './connection.ts';

/** A connection that lasts as long, in milliseconds, was worth it: the pause after it is a short one again. */
const lastingMs = 10_000;

/** Wakes the tasks of a kind whose entities have news, by one connection after another. */
export class Signals {
  readonly #host: PolicyHost;
  readonly #kind: EntityKind;
  readonly #ended = Promise.withResolvers<void>();
  #isStopped = false;
  #scope: CancelScope | undefined;
  #connection: Connection | undefined;
  #timer: Disposable | undefined;

  constructor(host: PolicyHost, kind: EntityKind) {
    this.#host = host;
    this.#kind = kind;
    void this.#connect(1);
  }

  /** Wakes the task if its entity has news, now or as soon as there is a connection. */
  compare(task: Task): void {
    this.#connection?.compare(task);
  }

  /** Resolves when nothing is left running. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#scope?.cancel();
    if (this.#timer !== undefined) this.#ended.resolve();
    this.#timer?.[Symbol.dispose]();
    return this.#ended.promise;
  }

  async #connect(attempt: number): Promise<void> {
    const { clock, logger } = this.#host;
    const began = clock.now();
    this.#timer = undefined;
    this.#scope = withCancel(background);
    this.#connection = new Connection(this.#host, this.#kind, this.#scope);
    const failure = await this.#connection.ended();
    if (this.#isStopped) return this.#ended.resolve();
    logger.warn('the signals for activities are lost: connecting again', { kind: this.#kind, attempt, err: failure });
    const failures = clock.now() - began < lastingMs ? attempt : 1;
    this.#timer = clock.after(backoff(failures), () => void this.#connect(failures + 1));
  }
}
