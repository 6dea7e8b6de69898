import {
  type AnyCall,
  type AnyEvent,
  type Bus,
  type CatalogueEntry,
  DuplicateHandlerError,
  DurableEventsUnsupportedError,
  type EventListener,
  type Handler,
  HandlerNotFoundError,
  type Middleware,
  type TransactionOptions,
} from '@samovar/bus';
import { type Context, contextKey, throwIfDone, withValue } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import type { CommandType, EventType, QueryType } from '@samovar/message';

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

interface Transaction {
  callbacks: (() => void)[] | 'committed' | 'rolledBack';
}

const transactionKey = contextKey<Transaction | undefined>('bustest.transaction', undefined);

/**
 * A bus for tests: it behaves as every bus does, and remembers what was sent through it. It retries a transaction
 * without a pause.
 */
export class FakeBus implements Bus {
  /** Every dispatch in the order of the calls, failed ones too, with the arguments that the caller gave. */
  readonly dispatched: Dispatched[] = [];
  /** Every publication in the order of the calls, failed ones too. */
  readonly published: Published[] = [];
  /** What callbacks after a commit have thrown. */
  readonly callbackErrors: unknown[] = [];
  /** In the order they were added. */
  readonly #registrations = new Set<Registration>();
  readonly #middleware = new Set<{ readonly run: Middleware }>();

  async dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: A): Promise<R> {
    this.dispatched.push({ message, args });
    throwIfDone(ctx);
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
    if (event.stream !== undefined) throw new DurableEventsUnsupportedError(event.name);
    const listeners = [...this.#registrations].flatMap((each) =>
      each.message === event && 'listener' in each ? [each.listener] : [],
    );
    for (const listener of listeners) {
      throwIfDone(ctx);
      await listener(ctx, data);
    }
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

  async inTransaction<T>(
    ctx: Context,
    fn: (ctx: Context) => Promise<T>,
    { retry = false }: TransactionOptions = {},
  ): Promise<T> {
    throwIfDone(ctx);
    if (Array.isArray(ctx.value(transactionKey)?.callbacks)) return fn(ctx);
    try {
      return await this.#commit(ctx, fn);
    } catch (error) {
      if (!retry) throw error;
      return await this.#tryAgain(ctx, fn, error);
    }
  }

  afterCommit(ctx: Context, fn: () => void): void {
    const callbacks = ctx.value(transactionKey)?.callbacks ?? 'committed';
    if (Array.isArray(callbacks)) callbacks.push(fn);
    else if (callbacks === 'committed') this.#runCallback(fn);
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

  async #commit<T>(ctx: Context, fn: (ctx: Context) => Promise<T>): Promise<T> {
    const callbacks: (() => void)[] = [];
    const transaction: Transaction = { callbacks };
    const result = await fn(withValue(ctx, transactionKey, transaction)).catch((error: unknown) => {
      transaction.callbacks = 'rolledBack';
      throw error;
    });
    transaction.callbacks = 'committed';
    for (const callback of callbacks) this.#runCallback(callback);
    return result;
  }

  async #tryAgain<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, firstError: unknown): Promise<T> {
    let error = firstError;
    for (let attempt = 2; attempt <= 10 && DomainError.is(error) && error.status === 'aborted'; attempt++) {
      throwIfDone(ctx);
      try {
        return await this.#commit(ctx, fn);
      } catch (next) {
        error = next;
      }
    }
    throw error;
  }

  #runCallback(fn: () => unknown): void {
    // The callback runs at once, here inside the executor.
    new Promise((resolve) => resolve(fn())).catch((error: unknown) => this.callbackErrors.push(error));
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
