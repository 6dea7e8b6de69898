import { setTimeout as delay } from 'node:timers/promises';
import type { TransactionOptions } from '@samovar/bus';
import { type Context, contextKey, throwIfDone, withValue } from '@samovar/context';
import { DomainError } from '@samovar/errors';

interface Transaction {
  state: 'open' | 'committed' | 'rolledBack';
  readonly afterCommit: (() => void)[];
}

const maxAttempts = 10;
const firstPauseMs = 5;
const longestPauseMs = 200;

const current = contextKey<Transaction | undefined>('bus.transaction', undefined);

/** The transactions that contexts carry. A context outlives its transaction: then it counts as one without. */
export class Transactions {
  readonly #onError: (error: unknown) => void;

  /** `onError` gets what callbacks after a commit throw. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  async run<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, { retry = false }: TransactionOptions = {}): Promise<T> {
    throwIfDone(ctx);
    if (ctx.value(current)?.state === 'open') return fn(ctx);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#runOnce(ctx, fn);
      } catch (error) {
        if (!retry || attempt === maxAttempts || !isAborted(error)) throw error;
      }
      await pause(ctx, attempt);
    }
  }

  afterCommit(ctx: Context, fn: () => void): void {
    const transaction = ctx.value(current);
    if (transaction?.state === 'open') transaction.afterCommit.push(fn);
    else if (transaction?.state !== 'rolledBack') this.#call(fn);
  }

  async #runOnce<T>(ctx: Context, fn: (ctx: Context) => Promise<T>): Promise<T> {
    const transaction: Transaction = { state: 'open', afterCommit: [] };
    let result: T;
    try {
      result = await fn(withValue(ctx, current, transaction));
    } catch (error) {
      transaction.state = 'rolledBack';
      throw error;
    }
    transaction.state = 'committed';
    for (const callback of transaction.afterCommit) this.#call(callback);
    return result;
  }

  #call(fn: () => unknown): void {
    try {
      const result = fn();
      // TypeScript lets an async function pass for one that returns nothing: its failure must not end the process.
      if (result instanceof Promise) result.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }
}

function isAborted(error: unknown): boolean {
  return DomainError.is(error) && error.status === 'aborted';
}

/** Waits for a random time within bounds that double. @throws why `ctx` is done, as soon as it is. */
async function pause(ctx: Context, attempt: number): Promise<void> {
  const bound = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
  await delay(Math.random() * bound, undefined, { signal: ctx.signal }).catch(() => throwIfDone(ctx));
  throwIfDone(ctx);
}
