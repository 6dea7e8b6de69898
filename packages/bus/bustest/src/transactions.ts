import { type Context, contextKey, throwIfDone, withValue } from '@samovar/context';
import type { TransactionOptions, Transactions } from '@samovar/db';
import { DomainError } from '@samovar/errors';

interface Transaction {
  callbacks: (() => void)[] | 'committed' | 'rolledBack';
}

const transactionKey = contextKey<Transaction | undefined>('bustest.transaction', undefined);

/** Transactions of no database: there is nothing to commit but callbacks. They run side by side. */
export class FakeTransactions implements Transactions {
  readonly #onError: (error: unknown) => void;

  /** `onError` gets what callbacks throw. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  async inTransaction<T>(
    ctx: Context,
    fn: (ctx: Context) => Promise<T>,
    { retry = false }: TransactionOptions = {},
  ): Promise<T> {
    throwIfDone(ctx);
    if (this.isInTransaction(ctx)) return fn(ctx);
    try {
      return await this.#commit(ctx, fn);
    } catch (error) {
      if (!retry) throw error;
      return await this.#tryAgain(ctx, fn, error);
    }
  }

  isInTransaction(ctx: Context): boolean {
    return Array.isArray(ctx.value(transactionKey)?.callbacks);
  }

  afterCommit(ctx: Context, fn: () => void): void {
    const callbacks = ctx.value(transactionKey)?.callbacks ?? 'committed';
    if (Array.isArray(callbacks)) callbacks.push(fn);
    else if (callbacks === 'committed') this.#runCallback(fn);
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
    new Promise((resolve) => resolve(fn())).catch(this.#onError);
  }
}
