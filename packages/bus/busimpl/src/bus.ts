import {
  type AnyCall,
  type AnyEvent,
  type Bus,
  type CatalogueEntry,
  CommandWhileReplayingError,
  commandsWhileReplaying,
  DuplicateHandlerError,
  type DurableEvents,
  type EventListener,
  type Handler,
  HandlerNotFoundError,
  type Middleware,
} from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import type { TransactionOptions, Transactions } from '@samovar/db';
import { newEvent, replaying } from '@samovar/eda';
import type { CommandType, EventType, QueryType } from '@samovar/message';
import { callSite } from './callsite.ts';

type Dispatch = (ctx: Context, message: AnyCall, args: unknown) => Promise<unknown>;

interface HandlerEntry {
  readonly handler: Handler<unknown, unknown>;
  readonly at: string;
}

interface ListenerEntry {
  readonly listener: EventListener<unknown>;
  readonly at: string;
}

/** The bus of one process. */
export class InProcessBus implements Bus {
  readonly #handlers = new Map<AnyCall, HandlerEntry>();
  /** The lists are replaced, never changed: a publication under way keeps the one it began with. */
  readonly #listeners = new Map<AnyEvent, readonly ListenerEntry[]>();
  /** What is handled or listened to now. */
  readonly #names = new Map<string, AnyCall | AnyEvent>();
  readonly #db: Transactions;
  readonly #durable: DurableEvents;
  #middleware: readonly { readonly run: Middleware }[] = [];
  /** All middleware around the handler; undefined where there is none. */
  #chain: Dispatch | undefined;

  /** `durable` stores events in the transactions of `db`. */
  constructor(db: Transactions, durable: DurableEvents) {
    this.#db = db;
    this.#durable = durable;
  }

  // Not async: that would add a promise, and its turns of the microtask queue, to every dispatch.
  dispatch<A, R>(ctx: Context, message: CommandType<A, R> | QueryType<A, R>, args: A): Promise<R> {
    try {
      throwIfDone(ctx);
      if (message.kind === 'command') throwIfReplaying(ctx, message.name);
      const result = this.#chain === undefined ? this.#handle(message, ctx, args) : this.#chain(ctx, message, args);
      return Promise.resolve(result) as Promise<R>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async publish<D>(ctx: Context, event: EventType<D>, data: D): Promise<void> {
    throwIfDone(ctx);
    const listeners = this.#listeners.get(event) ?? [];
    if (event.stream === undefined) return await tell(listeners, ctx, data);
    const stream = event.stream(data);
    const stored = newEvent(event, data);
    await this.#db.inTransaction(ctx, async (ctx) =>
      tell(listeners, await this.#durable.add(ctx, stream, stored), data),
    );
  }

  addHandler<A, R>(message: CommandType<A, R> | QueryType<A, R>, handler: Handler<A, R>): Disposable {
    const at = callSite();
    const known = this.#names.get(message.name);
    if (known !== undefined) throw new DuplicateHandlerError(message.name, this.#placeOf(known), at);
    const entry = { handler: handler as Handler<unknown, unknown>, at };
    this.#names.set(message.name, message);
    this.#handlers.set(message, entry);
    return onDispose(() => {
      this.#handlers.delete(message);
      this.#names.delete(message.name);
    });
  }

  addEventListener<D>(event: EventType<D>, listener: EventListener<D>): Disposable {
    const at = callSite();
    const known = this.#names.get(event.name);
    if (known !== undefined && known !== event) {
      throw new DuplicateHandlerError(event.name, this.#placeOf(known), at);
    }
    const entry = { listener: listener as EventListener<unknown>, at };
    this.#names.set(event.name, event);
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), entry]);
    return onDispose(() => this.#removeListener(event, entry));
  }

  use(middleware: Middleware): Disposable {
    const entry = { run: middleware };
    this.#setMiddleware([...this.#middleware, entry]);
    return onDispose(() => this.#setMiddleware(this.#middleware.filter((other) => other !== entry)));
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
    const calls = [...this.#handlers].map(([message, { at }]) => ({ message, handledAt: at }));
    const events = [...this.#listeners].map(([message, entries]) => ({
      message,
      listenersAt: entries.map(({ at }) => at),
    }));
    return [...calls, ...events].sort((a, b) => (a.message.name < b.message.name ? -1 : 1));
  }

  #handle(message: AnyCall, ctx: Context, args: unknown): unknown {
    const entry = this.#handlers.get(message);
    if (entry === undefined) throw new HandlerNotFoundError(message.name);
    return entry.handler(ctx, args);
  }

  #setMiddleware(middleware: readonly { readonly run: Middleware }[]): void {
    this.#middleware = middleware;
    this.#chain = middleware.reduceRight<Dispatch | undefined>(
      (inner, { run }) => around(run, inner ?? ((ctx, message, args) => this.#handleUnlessDone(ctx, message, args))),
      undefined,
    );
  }

  async #handleUnlessDone(ctx: Context, message: AnyCall, args: unknown): Promise<unknown> {
    throwIfDone(ctx);
    return this.#handle(message, ctx, args);
  }

  #removeListener(event: AnyEvent, entry: ListenerEntry): void {
    const left = this.#listeners.get(event)?.filter((other) => other !== entry) ?? [];
    if (left.length > 0) {
      this.#listeners.set(event, left);
    } else {
      this.#listeners.delete(event);
      this.#names.delete(event.name);
    }
  }

  #placeOf(message: AnyCall | AnyEvent): string {
    const entry = message.kind === 'event' ? this.#listeners.get(message)?.[0] : this.#handlers.get(message);
    return entry?.at ?? '';
  }
}

async function tell(listeners: readonly ListenerEntry[], ctx: Context, data: unknown): Promise<void> {
  for (const { listener } of listeners) {
    throwIfDone(ctx);
    await listener(ctx, data);
  }
}

function throwIfReplaying(ctx: Context, command: string): void {
  if (ctx.value(replaying) && !ctx.value(commandsWhileReplaying)) throw new CommandWhileReplayingError(command);
}

/** `middleware` with `inner` as what its `next` calls. */
function around(middleware: Middleware, inner: Dispatch): Dispatch {
  return async (ctx, message, args) => middleware(ctx, message, args, (ctx, args) => inner(ctx, message, args));
}

function onDispose(remove: () => void): Disposable {
  let disposed = false;
  return {
    [Symbol.dispose]() {
      if (!disposed) remove();
      disposed = true;
    },
  };
}
