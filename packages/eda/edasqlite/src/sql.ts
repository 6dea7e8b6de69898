import type { StatementSync } from 'node:sqlite';

/** A bound limit. With `LIMIT ?`, SQLite would plan the statement anew for each value, which takes longer than to run it. */
export const upTo = 'LIMIT +?';

/** Makes the statement answer with arrays instead of objects, which takes half the time. */
export function arrays(statement: StatementSync): StatementSync {
  statement.setReturnArrays(true);
  return statement;
}
