import type { ActivityEngine, Engines, EntityEvents, EntityRef, Leases } from '@samovar/activity';
import { CronEngine } from '@samovar/activitycron';
import { EagerEngine } from '@samovar/activityeager';
import { LazyEngine } from '@samovar/activitylazy';
import type { Logger } from '@samovar/eda';

export interface EnginesOptions {
  readonly events: EntityEvents;
  readonly leases: Leases;
  /** Told of activities that fail, at warn. */
  readonly logger: Logger;
  /** Milliseconds from one tick of the cron engine to the next. Default: 30,000. */
  readonly cronMs?: number | undefined;
}

/** The engines of this process. */
export class ProcessEngines implements Engines, AsyncDisposable {
  readonly lazy: LazyEngine;
  readonly eager: ActivityEngine;
  readonly cron: ActivityEngine;

  constructor({ cronMs = 30_000, ...options }: EnginesOptions) {
    this.lazy = new LazyEngine(options);
    this.eager = new EagerEngine(options);
    this.cron = new CronEngine({ ...options, everyMs: cronMs });
  }

  signal(entity: EntityRef): void {
    this.lazy.signal(entity);
  }

  /** Stops all, as {@link ActivityEngine.stop} does. */
  async stop(graceMs?: number): Promise<void> {
    await Promise.all([this.lazy, this.eager, this.cron].map((engine) => engine.stop(graceMs)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
