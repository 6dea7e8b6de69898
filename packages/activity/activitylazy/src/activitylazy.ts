import type { EntityRef } from '@samovar/activity';
import { Engine, type EngineOptions } from '@samovar/activitycore';
import { LazyPolicy } from './policy.ts';

const limit = 64;

/**
 * Runs an activity when there are events behind its tail, and lets it sleep otherwise, without a stream or a timer: there
 * may be a hundred thousand. Each run gets a stream that ends where there are no more events. Runs of a kind at a time,
 * by default: 64.
 */
export class LazyEngine extends Engine {
  constructor(options: EngineOptions) {
    super(options, limit, (host) => new LazyPolicy(host));
  }

  /**
   * Runs the entity's activities once more, as if there were events; one that is running, when that run has ended. One
   * that waits for its lease, or for the end of a pause, is not hurried. Cannot fail.
   */
  signal(entity: EntityRef): void {
    this.wake(entity);
  }
}
