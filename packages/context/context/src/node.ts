import { CanceledError, DeadlineExceededError } from './errors.ts';

/** Names a value that a context carries. */
export interface ContextKey<T> {
  readonly name: string;
  readonly defaultValue: T;
}

/** What a call carries: immutable, and the first parameter of every service method. */
export interface Context {
  /** Aborted when the context is done; its reason is what {@link throwIfDone} throws. Made only when asked for. */
  readonly signal: AbortSignal;
  /** When the context ends by itself; never later than its parent's. */
  readonly deadline: Date | undefined;
  /** What the nearest ancestor set for `key`, or the key's default. */
  value<T>(key: ContextKey<T>): T;
}

export type DoneReason = CanceledError | DeadlineExceededError;

const longestTimer = 2 ** 31 - 1;

/** Why a context is done, and its children with it. The error is made when it is first asked for: it takes a stack. */
class Ending {
  readonly #make: () => DoneReason;
  #reason: DoneReason | undefined;

  constructor(make: () => DoneReason) {
    this.#make = make;
  }

  get reason(): DoneReason {
    this.#reason ??= this.#make();
    return this.#reason;
  }
}

/** Why `ctx` is done, or undefined. Looks up the ancestors, so that contexts nobody listens to need no listeners. */
export function done(ctx: Context): DoneReason | undefined {
  return endOf(ctx)?.reason;
}

function endOf(ctx: Context): Ending | undefined {
  if (ctx instanceof Root) return undefined;
  if (ctx instanceof CancelNode) return ctx.end();
  if (ctx instanceof ValueNode) return ctx.scope === undefined ? undefined : endOf(ctx.scope);
  return ctx.signal.aborted ? endingOf(ctx.signal.reason) : undefined;
}

export class Root implements Context {
  readonly deadline = undefined;
  readonly #signal = new AbortController().signal;

  get signal(): AbortSignal {
    return this.#signal;
  }

  value<T>(key: ContextKey<T>): T {
    return key.defaultValue;
  }
}

export class ValueNode implements Context {
  /** The nearest ancestor that can be done. */
  readonly scope: Context | undefined;
  readonly #parent: Context;
  readonly #key: ContextKey<unknown>;
  readonly #value: unknown;

  constructor(parent: Context, key: ContextKey<unknown>, value: unknown) {
    this.#parent = parent;
    this.scope = scopeOf(parent);
    this.#key = key;
    this.#value = value;
  }

  get signal(): AbortSignal {
    return this.#parent.signal;
  }

  get deadline(): Date | undefined {
    return this.scope?.deadline;
  }

  value<T>(key: ContextKey<T>): T {
    return key === this.#key ? (this.#value as T) : this.#parent.value(key);
  }
}

/**
 * A context that can be done. Asking whether it is looks at itself and its ancestors; only while somebody holds its
 * signal (or a child's) does it listen: to its parent, its timer and the signal it follows.
 */
export class CancelNode implements Context {
  readonly #parent: Context;
  readonly #scope: Context | undefined;
  readonly #deadline: Date | undefined;
  /** On the clock of `performance.now()`; undefined: never. */
  readonly #expiry: number | undefined;
  readonly #followed: AbortSignal | undefined;
  /** Those that listen. */
  #children: Set<CancelNode> | undefined;
  #ending: Ending | undefined;
  #controller: AbortController | undefined;
  #stopListening: (() => void) | undefined;

  constructor(parent: Context, ms: number | undefined, followed?: AbortSignal) {
    this.#parent = parent;
    this.#scope = scopeOf(parent);
    this.#followed = followed;
    const inherited = parent.deadline;
    const own = ms === undefined ? Number.POSITIVE_INFINITY : Date.now() + ms;
    const sooner = ms !== undefined && (inherited === undefined || own < inherited.getTime());
    this.#deadline = sooner ? new Date(Math.min(own, 8.64e15)) : inherited;
    this.#expiry = sooner ? performance.now() + ms : undefined;
  }

  get deadline(): Date | undefined {
    return this.#deadline;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const ending = this.end();
      if (ending === undefined) this.#listen();
      else this.#controller.abort(ending.reason);
    }
    return this.#controller.signal;
  }

  value<T>(key: ContextKey<T>): T {
    return this.#parent.value(key);
  }

  end(): Ending | undefined {
    if (this.#ending !== undefined) return this.#ending;
    const ending =
      (this.#scope && endOf(this.#scope)) ??
      (this.#followed?.aborted ? endingOf(this.#followed.reason) : undefined) ??
      (this.#isExpired() ? expired() : undefined);
    if (ending !== undefined) this.#end(ending);
    return ending;
  }

  cancel(reason: unknown): void {
    if (this.end() === undefined) this.#end(endingOf(reason));
  }

  #isExpired(): boolean {
    return this.#expiry !== undefined && performance.now() >= this.#expiry;
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#stopListening?.();
    this.#controller?.abort(ending.reason);
    for (const child of this.#children ?? []) child.#end(ending);
  }

  #listen(): void {
    if (this.#stopListening !== undefined) return;
    const stops = [this.#listenToParent(), this.#listenToFollowed(), this.#startTimer()];
    this.#stopListening = () => {
      this.#stopListening = undefined;
      for (const stop of stops) stop?.();
    };
  }

  #listenToParent(): (() => void) | undefined {
    const scope = this.#scope;
    if (scope === undefined) return undefined;
    if (!(scope instanceof CancelNode)) return follow(scope.signal, (ending) => this.#end(ending));
    scope.#children ??= new Set();
    const children = scope.#children;
    children.add(this);
    scope.#listen();
    return () => {
      children.delete(this);
      if (children.size === 0 && scope.#controller === undefined) scope.#stopListening?.();
    };
  }

  #listenToFollowed(): (() => void) | undefined {
    return this.#followed && follow(this.#followed, (ending) => this.#end(ending));
  }

  #startTimer(): (() => void) | undefined {
    const expiry = this.#expiry;
    if (expiry === undefined) return undefined;
    let timer: NodeJS.Timeout;
    // A timer may fire a little early, and cannot be longer than 2^31 ms: look at the clock, and go on waiting.
    const wait = () => {
      const left = expiry - performance.now();
      if (left <= 0) return this.#end(expired());
      timer = setTimeout(wait, Math.min(Math.ceil(left), longestTimer)).unref();
    };
    wait();
    return () => clearTimeout(timer);
  }
}

function scopeOf(ctx: Context): Context | undefined {
  if (ctx instanceof Root) return undefined;
  return ctx instanceof ValueNode ? ctx.scope : ctx;
}

function endingOf(reason: unknown): Ending {
  return new Ending(() => asReason(reason));
}

function expired(): Ending {
  return new Ending(() => new DeadlineExceededError());
}

function asReason(reason: unknown): DoneReason {
  if (reason instanceof CanceledError || reason instanceof DeadlineExceededError) return reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError') return new DeadlineExceededError();
  return reason === undefined ? new CanceledError() : new CanceledError({ cause: reason });
}

function follow(signal: AbortSignal, end: (ending: Ending) => void): () => void {
  const listener = () => end(endingOf(signal.reason));
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
