import type { Context } from '@samovar/context';
import type { NewEvent } from '@samovar/eda';
import { type ArgsOf, command, query } from '@samovar/message';
import { z } from 'zod';

export { FlushInTransactionError, RowNotFoundError, RowNotStuckError } from './errors.ts';

/** waiting: for its turn. stuck: sending it has failed, and will be tried again. skipped: given up by an operator. */
export const RowState = z.enum(['waiting', 'stuck', 'skipped']);
export type RowState = z.infer<typeof RowState>;

/** An event that is stored, but not on its stream yet. */
export const Row = z.object({
  id: z.uuid(),
  state: RowState,
  stream: z.string(),
  type: z.string(),
  /** When it was added. */
  since: z.iso.datetime(),
  /** How often sending it has begun; where the process ended meanwhile, also if it had not come to this row yet. */
  attempts: z.int().nonnegative(),
  /** What the last attempt failed with; null: none has. */
  error: z.string().nullable(),
});
export type Row = z.infer<typeof Row>;

/** The rows of one state, the oldest first. */
export const ListRowsQuery = query(
  'outbox.ListRowsQuery',
  z.object({ state: RowState, limit: z.int().min(1).max(1_000).default(100) }),
  z.array(Row),
);
export type ListRowsQuery = ArgsOf<typeof ListRowsQuery>;

/** How the outbox is doing. */
export const OutboxStatus = z.object({
  waiting: z.int().nonnegative(),
  stuck: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  /** When the oldest row that is still to be sent was added; null: there is none. */
  oldest: z.iso.datetime().nullable(),
});
export type OutboxStatus = z.infer<typeof OutboxStatus>;

export const GetStatusQuery = query('outbox.GetStatusQuery', z.object({}), OutboxStatus);
export type GetStatusQuery = ArgsOf<typeof GetStatusQuery>;

/** Gives up a stuck row, so that the rows of its stream behind it are sent. It stays stored, as skipped. */
export const SkipRowCommand = command('outbox.SkipRowCommand', z.object({ id: z.uuid() }));
export type SkipRowCommand = ArgsOf<typeof SkipRowCommand>;

/**
 * Events on their way from a service's database to their streams. An event is stored in the caller's transaction and
 * forwarded afterwards, so that both or neither of what the transaction wrote and the event exist. Each stream gets its
 * events in the order in which they were added, each exactly once, with its row's id as `meta.outbox` and as its key. Transactions that
 * add to one stream take turns: from the first `add` to the commit, on PostgreSQL too.
 */
export abstract class Outbox {
  /**
   * Stores `event` for `stream`, in the transaction of `ctx`, or in one of its own. `time` is now unless it is set; cause
   * and correlation come from the event that is being handled, unless they are set; an event that nothing led to has its
   * row's id as its correlation. Resolves with a context for what
   * this event leads to: events added under it carry this row's id as `meta.causeOutbox`, and its correlation.
   *
   * @throws {InvalidStreamError} @throws {InvalidArgumentError} naming the field. @throws {DataEncodingError}
   * @throws {DatabaseUnavailableError} @throws {TransactionConflictError} @throws {WriteOutsideTransactionError}
   * @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract add(ctx: Context, stream: string, event: NewEvent): Promise<Context>;

  /**
   * Resolves when every row committed before this call, of all streams or of `stream` only, has reached its stream or
   * was skipped. A stuck row lets it wait for as long as `ctx` lasts.
   *
   * @throws {FlushInTransactionError} if `ctx` carries an open transaction: it would wait for itself.
   * @throws {InvalidStreamError} @throws {DatabaseUnavailableError} @throws {CanceledError} @throws {DeadlineExceededError}
   */
  abstract flushed(ctx: Context, stream?: string): Promise<void>;

  /** @throws {InvalidMessageError} @throws {DatabaseUnavailableError} */
  abstract listRows(ctx: Context, query: ListRowsQuery): Promise<readonly Row[]>;
  /** @throws {InvalidMessageError} @throws {DatabaseUnavailableError} */
  abstract getStatus(ctx: Context, query: GetStatusQuery): Promise<OutboxStatus>;
  /**
   * Skipping a row again is no error. @throws {InvalidMessageError} @throws {RowNotFoundError} @throws {RowNotStuckError}
   * if it is waiting. @throws {DatabaseUnavailableError}
   */
  abstract skipRow(ctx: Context, command: SkipRowCommand): Promise<void>;
}
