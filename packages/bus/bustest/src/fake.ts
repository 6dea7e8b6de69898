import {
  type AnyCall,
  type AnyEvent,
  type Bus,
  type CatalogueEntry,
  CommandWhileReplayingError,
  commandsWhileReplaying,
  DuplicateHandlerError,
  type EventListener,
  type Handler,
  HandlerNotFoundError,
  type Middleware,
} from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import type { TransactionOptions, Transactions } from '@samovar/db';
import { checkStream, newEvent, replaying } from '@samovar/eda';
import type { CommandType, EventType, QueryType } from '@samovar/message';
import { FakeTransactions } from './transactions.ts';

export interface Dispatched {
  readonly message: AnyCall;
  readonly args: unknown;
}

export interface Published {
  readonly event: AnyEvent;
  readonly data: unknown;
}

type Registration =
  | { readonly message: AnyCall; readonly at: string; readonly handler: Handler<unknown, unknown> }
  | { readonly message: AnyEvent; readonly at: string; readonly listener: EventListener<unknown> };

export interface FakeBusOptions {
  /** Whose transactions {@link FakeBus.inTransaction} and durable events run in. Default: none that is stored. */
  readonly db?: Transactions;
}

/**
 * A bus for tests: it behaves as every bus does, and remembers what was sent through it. Durable events are remembered
 * only: no stream gets them. A service under test that stores something gives it the Db that its store has; otherwise
 * transactions are of no database, run side by side, and are retried without a pause.
 */
export class FakeBus implements Bus {
  /** Every dispatch in the order of the calls, failed ones too, with the arguments that the caller gave. */
  readonly dispatched: Dispatched[] = [];
  /** Every publication in the order of the calls, failed ones too. */
  readonly published: Published[] = [];
  /** What callbacks after a commit have thrown; not with a Db, which has its own place for them. */
  readonly callbackErrors: unknown[] = [];
  /** In the order they were added. */
  readonly #registrations = new Set<Registration>();
  readonly #middleware = new Set<{ readonly run: Middleware }>();
  readonly #db: Transactions;

  constructor({ db }: FakeBusOptions = {}) {
    this.#db = db ?? new FakeTransactions((error) => this.callbackErrors.push(error));
  }

  async dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: A): Promise<R> {
    this.dispatched.push({ message, args });
    throwIfDone(ctx);
    if (message.kind === 'command' && ctx.value(replaying) && !ctx.value(commandsWhileReplaying)) {
      throw new CommandWhileReplayingError(message.name);
    }
    const layers = [...this.#middleware];
    const enter = async (depth: number, ctx: Context, args: unknown): Promise<unknown> => {
      const layer = layers[depth];
      if (layer !== undefined) return layer.run(ctx, message, args, (ctx, args) => enter(depth + 1, ctx, args));
      throwIfDone(ctx);
      return this.#handlerOf(message)(ctx, args);
    };
    return (await enter(0, ctx, args)) as R;
  }

  async publish<D>(ctx: Context, event: EventType<D>, data: D): Promise<void> {
    this.published.push({ event, data });
    throwIfDone(ctx);
    const listeners = [...this.#registrations].flatMap((each) =>
      each.message === event && 'listener' in each ? [each.listener] : [],
    );
    const tell = async (ctx: Context) => {
      for (const listener of listeners) {
        throwIfDone(ctx);
        await listener(ctx, data);
      }
    };
    if (event.stream === undefined) return await tell(ctx);
    checkStream(event.stream(data));
    newEvent(event, data).data?.encode();
    await this.#db.inTransaction(ctx, tell);
  }

  addHandler<A, R>(message: CommandType<A, R> | QueryType<A, R>, handler: Handler<A, R>): Disposable {
    const at = callerOfBus();
    const [first] = this.#named(message.name);
    if (first !== undefined) throw new DuplicateHandlerError(message.name, first.at, at);
    return add(this.#registrations, { message, at, handler: handler as Handler<unknown, unknown> });
  }

  addEventListener<D>(event: EventType<D>, listener: EventListener<D>): Disposable {
    const at = callerOfBus();
    const [first] = this.#named(event.name);
    if (first !== undefined && first.message !== event) throw new DuplicateHandlerError(event.name, first.at, at);
    return add(this.#registrations, { message: event, at, listener: listener as EventListener<unknown> });
  }

  use(middleware: Middleware): Disposable {
    return add(this.#middleware, { run: middleware });
  }

  inTransaction<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#db.inTransaction(ctx, fn, options);
  }

  isInTransaction(ctx: Context): boolean {
    return this.#db.isInTransaction(ctx);
  }

  afterCommit(ctx: Context, fn: () => void): void {
    this.#db.afterCommit(ctx, fn);
  }

  catalogue(): readonly CatalogueEntry[] {
    const names = [...new Set([...this.#registrations].map(({ message }) => message.name))].sort();
    return names.map((name) => {
      const registrations = this.#named(name);
      const [{ message, at }] = registrations as [Registration];
      if (message.kind === 'event') return { message, listenersAt: registrations.map((each) => each.at) };
      return { message, handledAt: at };
    });
  }

  #handlerOf(message: AnyCall): Handler<unknown, unknown> {
    for (const registration of this.#registrations) {
      if (registration.message === message && 'handler' in registration) return registration.handler;
    }
    throw new HandlerNotFoundError(message.name);
  }

  #named(name: string): Registration[] {
    return [...this.#registrations].filter(({ message }) => message.name === name);
  }
}

function add<T>(set: Set<T>, item: T): Disposable {
  set.add(item);
  return { [Symbol.dispose]: () => set.delete(item) };
}

/** Where the bus's method that calls this was called: the fourth line of a stack. */
function callerOfBus(): string {
  const frame = new Error().stack?.split('\n')[3] ?? '';
  return frame.replace(/^\s*at (?:.* \()?(?:file:\/\/)?/, '').replace(/\)$/, '');
}
