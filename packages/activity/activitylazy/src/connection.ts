import { type EntityKind, type EntityRef, entityStream } from '@samovar/activity';
import type { PolicyHost, Task } from '@samovar/activitycore';
import type { CancelScope } from '@samovar/context';

/** Heads that are asked for one by one at a time. */
const atOnce = 64;
/** As many times more heads than tasks make it worth while to ask for them one by one. */
const worthwhile = 8;

/**
 * One connection to the signals of a kind: it tells of news from when it is made. What came before that is found by
 * comparing heads with tails.
 */
export class Connection {
  readonly #host: PolicyHost;
  readonly #kind: EntityKind;
  readonly #scope: CancelScope;
  #isConnected = false;
  /** Tasks that are to be compared. */
  #unknown = new Set<Task>();
  /** How many heads there were at the last pass. */
  #heads = 0;
  #comparing: Promise<void> | undefined;
  #failure: unknown;

  /** It ends with `scope`. */
  constructor(host: PolicyHost, kind: EntityKind, scope: CancelScope) {
    this.#host = host;
    this.#kind = kind;
    this.#scope = scope;
  }

  /** Wakes tasks until the connection has ended, and tells why. Never rejects. */
  async ended(): Promise<unknown> {
    try {
      for await (const entities of this.#host.events.signals(this.#scope.ctx, [this.#kind])) {
        if (!this.#isConnected) this.#connected();
        for (const task of entities.flatMap((entity) => this.#of(entity))) task.wake();
      }
    } catch (error) {
      this.#failure ??= error;
    }
    this.#isConnected = false;
    this.#scope.cancel();
    await this.#comparing;
    return this.#failure;
  }

  /** Wakes the task if its entity has news, now or as soon as the connection is made. */
  compare(task: Task): void {
    if (!this.#isConnected) return;
    this.#unknown.add(task);
    this.#compareUnknown();
  }

  #connected(): void {
    this.#isConnected = true;
    this.#unknown = new Set(this.#host.tasks.ofKind(this.#kind));
    this.#compareUnknown();
  }

  #compareUnknown(): void {
    if (this.#unknown.size > 0) this.#comparing ??= this.#compareAll();
  }

  /** Until none is left, one at least. What fails ends the connection, as the next one compares all. */
  async #compareAll(): Promise<void> {
    try {
      while (this.#unknown.size > 0) {
        const tasks = this.#unknown;
        this.#unknown = new Set();
        if (tasks.size > Math.max(atOnce, this.#heads / worthwhile)) await this.#compareByHeads(tasks);
        else await this.#compareByHead([...tasks]);
      }
    } catch (error) {
      this.#failure ??= error;
      this.#scope.cancel();
    }
    this.#comparing = undefined;
  }

  async #compareByHead(tasks: readonly Task[]): Promise<void> {
    for (let from = 0; from < tasks.length; from += atOnce) {
      await Promise.all(
        tasks.slice(from, from + atOnce).map(async (task) => {
          const head = await this.#host.events.head(this.#scope.ctx, task.activity.entity);
          if (head !== null && head !== task.tail) task.wake();
        }),
      );
    }
  }

  async #compareByHeads(tasks: ReadonlySet<Task>): Promise<void> {
    this.#heads = 0;
    for await (const { entity, head } of this.#host.events.heads(this.#scope.ctx, [this.#kind])) {
      this.#heads++;
      for (const task of this.#of(entity)) if (tasks.has(task) && head !== task.tail) task.wake();
    }
  }

  #of(entity: EntityRef): readonly Task[] {
    return this.#host.tasks.of(entityStream(entity));
  }
}
