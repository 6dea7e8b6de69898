import { ActivityAlreadyStartedError, type ActivityKey, type EntityKind, entityStream } from '@samovar/activity';
import type { Task } from './task.ts';

/** The tasks of an engine. */
export class Tasks {
  readonly #ofStream = new Map<string, readonly Task[]>();
  readonly #inOrder = new Set<Task>();

  /** @throws {ActivityAlreadyStartedError} */
  check({ entity, name }: ActivityKey): void {
    const stream = entityStream(entity);
    const isStarted = this.of(stream).some(({ activity }) => activity.name === name);
    if (isStarted) throw new ActivityAlreadyStartedError(name, stream);
  }

  add(task: Task): void {
    const stream = entityStream(task.activity.entity);
    this.#ofStream.set(stream, [...this.of(stream), task]);
    this.#inOrder.add(task);
  }

  delete(task: Task): void {
    if (!this.#inOrder.delete(task)) return;
    const stream = entityStream(task.activity.entity);
    const left = this.of(stream).filter((other) => other !== task);
    if (left.length > 0) this.#ofStream.set(stream, left);
    else this.#ofStream.delete(stream);
  }

  /** Those of the entity with this stream. */
  of(stream: string): readonly Task[] {
    return this.#ofStream.get(stream) ?? [];
  }

  ofKind(kind: EntityKind): Task[] {
    return this.all().filter(({ activity }) => activity.entity.kind === kind);
  }

  /** In the order of the starts. */
  all(): Task[] {
    return [...this.#inOrder];
  }
}
