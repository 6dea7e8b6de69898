import { DomainError } from '@samovar/errors';

/** No row of the outbox has this id; it may have been sent meanwhile (outbox.rowNotFound). */
export class RowNotFoundError extends DomainError {
  constructor(id: string) {
    super('not_found', 'outbox.rowNotFound', {
      publicMessage: `the outbox has no row ${id}: it may have been sent meanwhile`,
      details: { id },
    });
  }
}

/** The row is not stuck: it waits for its turn, or was skipped before (outbox.rowNotStuck). Nothing was changed. */
export class RowNotStuckError extends DomainError {
  constructor(id: string, state: string) {
    super('failed_precondition', 'outbox.rowNotStuck', {
      publicMessage: `row ${id} is ${state}: only a stuck row can be skipped`,
      details: { id, state },
    });
  }
}

/**
 * It was asked to wait for the outbox inside of a transaction (outbox.flushInTransaction), whose own rows are not
 * committed, and whose locks the relay may need: that would wait for itself.
 */
export class FlushInTransactionError extends DomainError {
  constructor() {
    super('failed_precondition', 'outbox.flushInTransaction', {
      publicMessage: 'flushed waits for what is committed: call it once the transaction is over',
    });
  }
}
