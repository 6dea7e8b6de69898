import { CancelNode, type Context, type ContextKey, done, Root, ValueNode } from './node.ts';

export { CanceledError, DeadlineExceededError } from './errors.ts';
export type { Context, ContextKey } from './node.ts';
export { traceParent, withTraceParent } from './trace.ts';

/** A context that its maker can end. Disposing it cancels it and leaves nothing behind on the parent. */
export interface CancelScope extends Disposable {
  readonly ctx: Context;
  /** Ends `ctx` and its children with a {@link CanceledError} whose cause is `reason`. The first call counts. */
  readonly cancel: (reason?: unknown) => void;
}

/** Makes a key. Two keys are different values even with one name; the name is for people. */
export function contextKey<T>(name: string, defaultValue: T): ContextKey<T> {
  return { name, defaultValue };
}

/** The root of all contexts: never done, no deadline, no values. */
export const background: Context = new Root();

/** A child in which `key` has `value`. */
export function withValue<T>(parent: Context, key: ContextKey<T>, value: T): Context {
  return new ValueNode(parent, key, value);
}

/** A child that ends when `cancel` is called or the parent ends, whichever comes first. */
export function withCancel(parent: Context): CancelScope {
  return new Scope(new CancelNode(parent, undefined));
}

/**
 * A child that ends after `ms` milliseconds with a {@link DeadlineExceededError}, or when it is cancelled, or with its
 * parent: its deadline is never later than the parent's. Time is measured on the monotonic clock. The timer does not
 * keep the process alive.
 *
 * @throws {RangeError} if `ms` is not a number or is negative. `Infinity` sets no deadline.
 */
export function withTimeout(parent: Context, ms: number): CancelScope {
  if (!(ms >= 0)) throw new RangeError(`a timeout is a number of milliseconds from 0 up, not ${ms}`);
  return new Scope(new CancelNode(parent, ms === Infinity ? undefined : ms));
}

/**
 * A child that also ends when `signal` is aborted: with a {@link CanceledError} whose cause is the signal's reason, or
 * a {@link DeadlineExceededError} if that is a TimeoutError. Once somebody asks for the child's own `signal`, it stays
 * known to parent and `signal` until one of them ends; under a parent that lives long, follow with a scope instead.
 */
export function withSignal(parent: Context, signal: AbortSignal): Context {
  return new CancelNode(parent, undefined, signal);
}

/**
 * Returns if `ctx` is still going.
 *
 * @throws {CanceledError} if it was cancelled; its cause is the reason given.
 * @throws {DeadlineExceededError} if its deadline has passed.
 */
export function throwIfDone(ctx: Context): void {
  const reason = done(ctx);
  if (reason !== undefined) throw reason;
}

/** Resolves when `ctx` is done. It listens until then: where `ctx` lives long, follow what is to wait with a scope. */
export async function whenDone({ signal }: Context): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** An object for each of many calls that may wait for long: of what it can do, it makes only what is asked for. */
class Scope implements CancelScope {
  readonly ctx: CancelNode;
  #cancel: CancelScope['cancel'] | undefined;

  constructor(node: CancelNode) {
    this.ctx = node;
  }

  /** Does without `this`. */
  get cancel(): CancelScope['cancel'] {
    this.#cancel ??= (reason) => this.ctx.cancel(reason);
    return this.#cancel;
  }

  [Symbol.dispose](): void {
    this.ctx.cancel(undefined);
  }
}
