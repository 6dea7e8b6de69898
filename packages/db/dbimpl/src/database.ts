import type { Context } from '@samovar/context';
import type { Dialect } from '@samovar/db';
import type { ControlledTransaction, Kysely } from 'kysely';

/** Queries over tables that their caller knows. */
// biome-ignore lint/suspicious/noExplicitAny: Db.query gives them the tables' types.
export type Queries = Kysely<any>;

/** What SqlDb needs of a database. */
export interface Database extends AsyncDisposable {
  readonly dialect: Dialect;
  /** For statements outside of transactions. Writes ask the {@link Holding} first. */
  readonly pool: Queries;
  /** @throws {DatabaseUnavailableError} @throws {TransactionConflictError} or why `ctx` is done, while it waits. */
  begin(ctx: Context): Promise<RunningTransaction>;
}

/** It must be ended: by a commit, and if that fails or is not wanted, by a rollback. */
export interface RunningTransaction {
  readonly queries: Queries;
  commit(): Promise<void>;
  /** Cannot fail: a connection that cannot roll back is given up. */
  rollback(): Promise<void>;
}

/** `transaction` as one that calls `onEnd` once it has ended. */
export function running(
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  transaction: ControlledTransaction<any>,
  onEnd: () => void,
): RunningTransaction {
  return {
    queries: transaction,
    async commit() {
      await transaction.commit().execute();
      onEnd();
    },
    async rollback() {
      // Fails where the database has rolled back by itself, or is gone: then nothing is left to be undone.
      await transaction
        .rollback()
        .execute()
        .catch(() => {});
      onEnd();
    },
  };
}
