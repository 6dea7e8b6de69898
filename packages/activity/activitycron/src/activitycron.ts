import { type Clock, Engine, type EngineOptions, type Policy, type PolicyHost, type Task } from '@samovar/activitycore';

export interface CronOptions extends EngineOptions {
  /** Milliseconds from one tick to the next: from 1 up. */
  readonly everyMs: number;
}

const limit = 64;

/**
 * Runs every activity when it is started, and at each tick, of which the first comes that long after the first start; one
 * that is still running, or waits for another try, skips it. Each run gets a stream that ends where there are no more
 * events. Runs of a kind at a time, by default: 64.
 */
export class CronEngine extends Engine {
  constructor({ everyMs, ...options }: CronOptions) {
    super(options, limit, (host) => new CronPolicy(host, everyMs));
  }
}

class CronPolicy implements Policy {
  readonly watch = false;
  readonly #clock: Clock;
  readonly #tasks: PolicyHost['tasks'];
  readonly #everyMs: number;
  #next = 0;
  #timer: Disposable | undefined;

  /** @throws {RangeError} */
  constructor({ clock, tasks }: PolicyHost, everyMs: number) {
    if (!(everyMs >= 1)) throw new RangeError(`ticks cannot come every ${everyMs} milliseconds`);
    this.#clock = clock;
    this.#tasks = tasks;
    this.#everyMs = everyMs;
  }

  claimed(task: Task): void {
    this.#timer ??= this.#tickLater();
    task.wake();
  }

  pause(): undefined {
    return undefined;
  }

  nextTick(): number {
    return this.#next;
  }

  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
  }

  #tickLater(): Disposable {
    this.#next = this.#clock.now() + this.#everyMs;
    return this.#clock.after(this.#everyMs, () => {
      this.#timer = this.#tickLater();
      for (const task of this.#tasks.all()) if (task.state === 'sleeping') task.wake();
    });
  }
}
