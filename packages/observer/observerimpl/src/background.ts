import { setInterval } from 'node:timers/promises';
import { type Context, throwIfDone } from '@samovar/context';
import type { BackgroundService } from '@samovar/server';
import { observeRegistries } from './registries.ts';
import type { Scans } from './scans.ts';
import type { ObserverService } from './service.ts';
import type { Tools } from './tools.ts';

export interface ObservingOptions {
  /** Whether activities are run here. Default: true. */
  readonly activities?: boolean;
  /** Milliseconds after which it is tried again to add what could not be added. Default: 30,000. */
  readonly retryMs?: number;
}

/** Has what is registered observed, by activities that stop with their engines, and tries again to add what is not. */
export class ObservingService implements BackgroundService {
  readonly name = 'observer';
  readonly #tools: Tools;
  readonly #scans: Scans;
  readonly #observer: Pick<ObserverService, 'addAgain'>;
  readonly #activities: boolean;
  readonly #retryMs: number;

  constructor(
    tools: Tools,
    scans: Scans,
    observer: Pick<ObserverService, 'addAgain'>,
    { activities = true, retryMs = 30_000 }: ObservingOptions = {},
  ) {
    this.#tools = tools;
    this.#scans = scans;
    this.#observer = observer;
    this.#activities = activities;
    this.#retryMs = retryMs;
  }

  isDisabled(): boolean {
    return false;
  }

  async run(ctx: Context): Promise<void> {
    const observing = this.#activities ? [observeRegistries(ctx, this.#tools, this.#scans)] : [];
    // Its end is the end of both.
    await Promise.allSettled([...observing, this.#addAgain(ctx)]);
  }

  async #addAgain(ctx: Context): Promise<void> {
    try {
      for await (const _ of setInterval(this.#retryMs, undefined, { signal: ctx.signal })) {
        await this.#observer.addAgain(ctx);
      }
    } finally {
      throwIfDone(ctx);
    }
  }
}
