import type {
  ActivityStatus,
  RegistryEngine,
  RegistryWorkflowEngine,
  RegistryWorkflowIndexEngine,
  RepoEngine,
  RepoWorkflowEngine,
} from '@samovar/activity';
import { Engine, type Policy, type PolicyHost } from '@samovar/activitycore';
import { TestClock } from './clock.ts';
import { FakeEntityEvents } from './events.ts';
import { FakeLeases } from './leases.ts';
import { RecordingLogger } from './logger.ts';

/**
 * Runs activities when a test says so, over the events that the test appends, with a clock that stands still: for tests
 * of one's own activities. Outcomes, pauses and tails are those of the other engines.
 */
export class StepEngine
  extends Engine
  implements RegistryEngine, RegistryWorkflowIndexEngine, RegistryWorkflowEngine, RepoEngine, RepoWorkflowEngine
{
  readonly clock: TestClock;
  readonly events: FakeEntityEvents;
  readonly leases: FakeLeases;
  readonly logger: RecordingLogger;
  readonly #policy: StepPolicy;

  /** Goes on where the engine `before` was stopped, as after a restart. Default: nothing has happened yet. */
  constructor(before?: StepEngine) {
    const clock = before?.clock ?? new TestClock();
    const events = before?.events ?? new FakeEntityEvents(() => new Date(clock.now()));
    const leases = before?.leases ?? new FakeLeases();
    const logger = new RecordingLogger();
    const policy = new StepPolicy();
    super({ events, leases, logger, clock }, Number.POSITIVE_INFINITY, ({ tasks }) => policy.of(tasks));
    this.clock = clock;
    this.events = events;
    this.leases = leases;
    this.logger = logger;
    this.#policy = policy;
  }

  /** Runs each activity that sleeps, once, and what has to run at once thereafter. Tells what has become of all. */
  async step(): Promise<readonly ActivityStatus[]> {
    this.#policy.wakeAll();
    await this.quiet();
    return this.activities();
  }

  /** Lets time pass, and runs what falls due: what was to be tried again. Tells what has become of all. */
  async advance(ms: number): Promise<readonly ActivityStatus[]> {
    this.clock.advance(ms);
    await this.quiet();
    return this.activities();
  }
}

class StepPolicy implements Policy {
  readonly watch = false;
  #tasks: PolicyHost['tasks'] | undefined;

  of(tasks: PolicyHost['tasks']): this {
    this.#tasks = tasks;
    return this;
  }

  wakeAll(): void {
    for (const task of this.#tasks?.all() ?? []) if (task.state === 'sleeping') task.wake();
  }

  claimed(): void {}

  pause(): undefined {
    return undefined;
  }

  nextTick(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {}
}
