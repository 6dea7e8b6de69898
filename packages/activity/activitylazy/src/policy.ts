import type { EntityKind } from '@samovar/activity';
import type { Policy, PolicyHost, Task } from '@samovar/activitycore';
import { Signals } from './signals.ts';

/** Wakes tasks by signals: those of each kind come by a connection of their own, made when they are first needed. */
export class LazyPolicy implements Policy {
  readonly watch = false;
  readonly #host: PolicyHost;
  readonly #signals = new Map<EntityKind, Signals>();
  #isStopped = false;

  constructor(host: PolicyHost) {
    this.#host = host;
  }

  claimed(task: Task): void {
    if (this.#isStopped) return;
    const { kind } = task.activity.entity;
    const signals = this.#signals.get(kind) ?? new Signals(this.#host, kind);
    this.#signals.set(kind, signals);
    signals.compare(task);
  }

  pause(): undefined {
    return undefined;
  }

  nextTick(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#signals.values()].map((signals) => signals.stop()));
  }
}
