import type { Context } from '@samovar/context';
import type { Event, EventId } from '@samovar/eda';
import type { EventType } from '@samovar/message';

export { UnreadableEventError } from './errors.ts';

/** Something that has happened to an entity, to be appended to its stream. */
export interface Fact {
  readonly event: Pick<EventType<never>, 'name' | 'version'>;
  readonly data: unknown;
}

/** That `event` has happened, with this data. */
export function fact<D>(event: EventType<D>, data: NoInfer<D>): Fact {
  return { event, data };
}

/** What an event of one type does to an entity's state. */
export interface Fold<S> {
  readonly event: Pick<EventType<never>, 'name' | 'upcast'>;
  apply(state: S, data: unknown, event: Event): void;
}

/**
 * Events of this type change the state by `apply`, which gets their data parsed, that of older versions brought up to
 * today's shape first. It changes the state in place, depends on nothing else, and does not fail.
 */
export function on<S, D, P>(event: EventType<D, P>, apply: (state: S, data: P, event: Event) => void): Fold<S> {
  return { event, apply: (state, data, stored) => apply(state, data as P, stored) };
}

/** How the entities of a kind come from their events. */
export interface Folding<S> {
  /** The state of an entity without events, a new one each time. */
  initial(): S;
  /** One for each type of event. Events of other types are passed over. */
  readonly folds: readonly Fold<S>[];
}

/** An entity as its stream tells it. */
export interface Entity<S> {
  /**
   * Shared by all who load the entity, and brought up to date in place, whole commits at once: read it before the next
   * await, and never change it.
   */
  readonly state: S;
  /** The last event of the stream that is in the state; null: it has none. */
  readonly head: EventId | null;
}

/**
 * Entities that are what has happened to them: each has a stream, its state is the fold of that, and it changes by
 * facts that are appended where the one who decided on them saw the stream end. States are kept in memory, the last used
 * ones, and are made anew from the streams wherever they are missing.
 *
 * All methods may be called concurrently, in any number of processes. Besides what is named, each may fail with what the
 * event log fails with.
 */
export abstract class Journal<S> {
  /** As the log has it now. @throws {UnreadableEventError} @throws {CanceledError} @throws {DeadlineExceededError} */
  abstract load(ctx: Context, stream: string): Promise<Entity<S>>;

  /**
   * Loads the entity, has `decide` say what happens to it, and appends that: all or nothing. Where somebody else was
   * faster, it is loaded and decided again, until that succeeds or `ctx` is done; so `decide` has no side effects. No
   * facts: nothing is to happen. At most 2,048 facts. Resolves with the entity as it is thereafter.
   *
   * @throws whatever `decide` throws, and then nothing is appended. @throws {UnreadableEventError}
   * @throws {CanceledError} also where the facts were appended already. @throws {DeadlineExceededError} likewise.
   */
  abstract change(ctx: Context, stream: string, decide: (state: S) => readonly Fact[]): Promise<Entity<S>>;

  /**
   * Appends up to 2,048 facts behind `head`, all or none; no facts: nothing happens, wherever the stream ends. Resolves
   * with the entity as it is thereafter.
   *
   * @throws {HeadConflictError} if the stream does not end there. @throws {UnreadableEventError}
   * @throws {CanceledError} also where the facts were appended already. @throws {DeadlineExceededError} likewise.
   */
  abstract append(ctx: Context, stream: string, head: EventId | null, facts: readonly Fact[]): Promise<Entity<S>>;

  /**
   * Erases the entity's stream. Erasing what has none is no error.
   *
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract erase(ctx: Context, stream: string): Promise<void>;

  /** The streams that a selector matches, with their last events, in no particular order. @throws {InvalidSelectorError} */
  abstract streams(ctx: Context, selector: string): AsyncIterable<{ readonly stream: string; readonly head: EventId }>;
}

/** Makes journals. Whoever needs one says how its entities come from their events; two may read the same streams. */
export abstract class Journals {
  /** A journal with a memory of its own: one for each kind of entities will do. Cannot fail. */
  abstract of<S>(folding: Folding<S>): Journal<S>;
}
