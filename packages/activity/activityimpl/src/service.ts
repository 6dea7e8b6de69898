import { addAbortListener } from 'node:events';
import type { Context } from '@samovar/context';
import type { BackgroundService } from '@samovar/server';
import type { ProcessEngines } from './engines.ts';

/** Starts nothing by itself; when the server stops, it stops the engines, then gives back the leases. */
export class ActivityService implements BackgroundService {
  readonly name = 'activities';
  readonly #engines: Pick<ProcessEngines, 'stop'>;
  readonly #leases: AsyncDisposable;
  readonly #graceMs: number;

  /** Activities that do not end within `graceMs` milliseconds are left alone. */
  constructor(engines: Pick<ProcessEngines, 'stop'>, leases: AsyncDisposable, graceMs: number) {
    this.#engines = engines;
    this.#leases = leases;
    this.#graceMs = graceMs;
  }

  isDisabled(): boolean {
    return false;
  }

  async run(ctx: Context): Promise<void> {
    const done = Promise.withResolvers<void>();
    using _listener = addAbortListener(ctx.signal, () => done.resolve());
    await done.promise;
    await this.#engines.stop(this.#graceMs);
    await this.#leases[Symbol.asyncDispose]();
  }
}
