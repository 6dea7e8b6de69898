import { type Context, contextKey } from '@samovar/context';
import type { TransactionOptions } from '@samovar/db';
import type { NewEvent } from '@samovar/eda';
import type { CommandType, EventType, QueryType } from '@samovar/message';

export { CommandWhileReplayingError, DuplicateHandlerError, HandlerNotFoundError } from './errors.ts';

/** Whether commands may be dispatched although an event is replayed (`replaying`, of eda). */
export const commandsWhileReplaying = contextKey('bus.commandsWhileReplaying', false);

/** Any command or query. */
// biome-ignore lint/suspicious/noExplicitAny: the message's own types are checked where it is dispatched or handled.
export type AnyCall = CommandType<any, any> | QueryType<any, any>;
/** Any event. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type AnyEvent = EventType<any>;

export type Handler<A, R> = (ctx: Context, args: A) => R | Promise<R>;
export type EventListener<D> = (ctx: Context, data: D) => void | Promise<void>;

/**
 * Runs around every dispatch whose context is not done. It may pass on another context or other arguments, answer by
 * itself, call `next` again, or throw. What the handler throws reaches it as a rejection of `next`.
 */
export type Middleware = (
  ctx: Context,
  message: AnyCall,
  args: unknown,
  next: (ctx: Context, args: unknown) => Promise<unknown>,
) => Promise<unknown>;

/** What the bus hands durable events to. Bound in module.ts of an outbox. */
export abstract class DurableEvents {
  /**
   * Stores `event` for `stream` in the transaction of `ctx`. Resolves with the context for what the event leads to.
   *
   * @throws whatever keeps it from being stored.
   */
  abstract add(ctx: Context, stream: string, event: NewEvent): Promise<Context>;
}

/** A message that the bus knows, as it stands now. Places are `file:line:column`. */
export type CatalogueEntry =
  | { readonly message: AnyCall; readonly handledAt: string }
  | { readonly message: AnyEvent; readonly listenersAt: readonly string[] };

/**
 * The synchronous bus: a call settles after the handler, or every listener, did. Handlers and listeners get the
 * caller's context and run on the caller's behalf; the bus parses nothing: services validate.
 */
export abstract class Bus {
  /**
   * Runs the message's handler and settles as it does. Every failure is a rejection, never a synchronous throw.
   *
   * @throws {HandlerNotFoundError} if nobody handles `message`.
   * @throws {CommandWhileReplayingError} if `message` is a command, an event is being replayed under `ctx`, and
   * {@link commandsWhileReplaying} is not set; neither middleware nor the handler runs then.
   * @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done; neither middleware nor the handler runs then.
   */
  abstract dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: NoInfer<A>): Promise<R>;

  /**
   * Calls the event's listeners in the order they were added, each after the one before it has settled. The first
   * error stops the rest and is the rejection. Adding or removing a listener meanwhile counts from the next publication
   * on.
   *
   * An event whose definition names a stream is durable too: it is stored before the first listener runs, in the
   * transaction of `ctx` or one of its own, and comes to its stream some time after the commit. Its listeners run in
   * that transaction. If one fails and the transaction is this publication's own, neither the event nor what the
   * listeners wrote is left; a transaction of the caller goes on if the caller catches the error, with both.
   * Events that listeners publish under their context are caused by this one. Any other event needs no database.
   *
   * @throws whatever a listener throws.
   * @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done, or ends while listeners are left; those do
   * not run then.
   * @throws {InvalidStreamError} @throws {DataEncodingError} if a durable event names no stream name, or has data that is
   * not JSON; no listener runs then. @throws {DatabaseUnavailableError} @throws {TransactionConflictError}
   * @throws {WriteOutsideTransactionError} as {@link inTransaction}, for a durable event.
   */
  abstract publish<D>(ctx: Context, event: EventType<D>, data: NoInfer<D>): Promise<void>;

  /**
   * Adds the handler of a command or query; disposing the result removes it.
   *
   * @throws {DuplicateHandlerError} if it has one, or another message of its name is known.
   */
  abstract addHandler<A, R>(message: CommandType<A, R> | QueryType<A, R>, handler: Handler<A, R>): Disposable;

  /**
   * Adds a listener; disposing the result removes it. One function added twice is called twice.
   *
   * @throws {DuplicateHandlerError} if another message of the event's name is known.
   */
  abstract addEventListener<D>(event: EventType<D>, listener: EventListener<D>): Disposable;

  /**
   * Runs `middleware` around every dispatch from now on, inside those added before it; disposal takes it out. A dispatch
   * under way keeps the middleware it began with. Adding cannot fail.
   */
  abstract use(middleware: Middleware): Disposable;

  /**
   * Runs `fn` in a transaction of the server's database, `Db.inTransaction`: the one in `ctx` if there is one, else a new
   * one, which is committed when `fn` resolves and rolled back when it rejects, with everything that stores have written
   * and durable events that were published under its context. `fn` must pass on the context it is given. A nested call
   * that fails rolls nothing back by itself: the outermost `fn` decides. The context of a transaction that is over counts
   * as one without. SQLite runs one transaction at a time, so `fn` should be short, and must not wait for another call's.
   *
   * @throws whatever `fn` throws, or the database refuses the commit for. @throws {DatabaseUnavailableError}
   * @throws {TransactionConflictError} @throws {WriteOutsideTransactionError} if `ctx` carries no transaction although
   * the same call has one open. @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done, before `fn`
   * runs or runs again.
   */
  abstract inTransaction<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /** Whether `ctx` carries a transaction that is open. Cannot fail. */
  abstract isInTransaction(ctx: Context): boolean;

  /**
   * Calls `fn` once the transaction in `ctx` is committed, before `inTransaction` settles and in the order of these
   * calls; at once outside of one or after its commit; never after a rollback. What `fn` throws is logged or reported,
   * and undoes nothing: the call itself cannot fail.
   */
  abstract afterCommit(ctx: Context, fn: () => void): void;

  /** What is handled, by whom, and who listens, in the order of names. Cannot fail. */
  abstract catalogue(): readonly CatalogueEntry[];
}
