import type { Context } from '@samovar/context';
import type { CommandType, EventType, QueryType } from '@samovar/message';

export { DuplicateHandlerError, DurableEventsUnsupportedError, HandlerNotFoundError } from './errors.ts';

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

/** A message that the bus knows, as it stands now. Places are `file:line:column`. */
export type CatalogueEntry =
  | { readonly message: AnyCall; readonly handledAt: string }
  | { readonly message: AnyEvent; readonly listenersAt: readonly string[] };

export interface TransactionOptions {
  /**
   * Runs `fn` again when it fails with status `aborted`: up to ten times in all, with back-off, and while the context
   * lasts. Only the outermost transaction is retried. Default: false.
   */
  readonly retry?: boolean;
}

/**
 * The synchronous bus: a call settles after the handler, or every listener, did. Handlers and listeners get the
 * caller's context and run on the caller's behalf; the bus parses nothing: services validate.
 */
export abstract class Bus {
  /**
   * Runs the message's handler and settles as it does. Every failure is a rejection, never a synchronous throw.
   *
   * @throws {HandlerNotFoundError} if nobody handles `message`.
   * @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done; neither middleware nor the handler runs then.
   */
  abstract dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: NoInfer<A>): Promise<R>;

  /**
   * Calls the event's listeners in the order they were added, each after the one before it has settled. The first
   * error stops the rest and is the rejection. Without listeners nothing happens. Adding or removing a listener
   * meanwhile counts from the next publication on.
   *
   * @throws {DurableEventsUnsupportedError} if the event's definition names a stream; no listener runs then.
   * @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done, or ends while listeners are left; those do
   * not run then.
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
   * Runs `fn` in a transaction: the one in `ctx` if there is one, else a new one, which is committed when `fn` resolves
   * and rolled back when it rejects. `fn` must pass on the context it is given. A nested call that fails rolls nothing
   * back by itself: the outermost `fn` decides. The context of a transaction that is over counts as one without.
   *
   * @throws whatever `fn` throws. @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done, before `fn`
   * runs or runs again.
   */
  abstract inTransaction<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /**
   * Calls `fn` once the transaction in `ctx` is committed, before `inTransaction` settles and in the order of these
   * calls; at once outside of one or after its commit; never after a rollback. What `fn` throws is logged or reported,
   * and undoes nothing: the call itself cannot fail.
   */
  abstract afterCommit(ctx: Context, fn: () => void): void;

  /** What is handled, by whom, and who listens, in the order of names. Cannot fail. */
  abstract catalogue(): readonly CatalogueEntry[];
}
