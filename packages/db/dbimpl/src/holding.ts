import { AsyncLocalStorage } from 'node:async_hooks';
import { WriteOutsideTransactionError } from '@samovar/db';

export interface Held {
  readonly state: 'open' | 'ending' | 'committed' | 'rolledBack';
}

/**
 * Knows which transaction the running call has open, without being told by its context: the context is what was
 * forgotten where this is needed.
 */
export class Holding {
  readonly #held = new AsyncLocalStorage<Held>();

  run<T>(transaction: Held, fn: () => T): T {
    return this.#held.run(transaction, fn);
  }

  /** @throws {WriteOutsideTransactionError} inside {@link run}, while its transaction is open. */
  throwIfHolding(): void {
    if (this.#held.getStore()?.state === 'open') throw new WriteOutsideTransactionError();
  }
}
