import { backoff, Engine, type EngineOptions, type Policy } from '@samovar/activitycore';

/**
 * Runs every activity all the time, over a stream that waits for more; one whose run ends gets another. Runs of a kind at
 * a time, by default: no limit, as those that wait for a place may wait for ever.
 */
export class EagerEngine extends Engine {
  constructor(options: EngineOptions) {
    super(options, Number.POSITIVE_INFINITY, () => policy);
  }
}

const policy: Policy = {
  watch: true,
  claimed: (task) => task.wake(),
  // One that ends at once, again and again, must not spin.
  pause: (idle) => (idle === 0 ? 0 : backoff(idle)),
  nextTick: () => undefined,
  stop: () => Promise.resolve(),
};
