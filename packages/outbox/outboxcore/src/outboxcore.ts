import { type Context, contextKey, withValue } from '@samovar/context';
import {
  checkCommitBytes,
  checkNewEvent,
  checkStream,
  Data,
  type Event,
  encodeMeta,
  handledEvent,
  type NewEvent,
} from '@samovar/eda';
import { DomainError } from '@samovar/errors';

/** The row that what happens under a context comes from. */
interface AddedRow {
  readonly id: string;
  readonly correlation: string;
  /** What was being handled when it was added: another event handled now is a closer cause than the row. */
  readonly handled: Event | undefined;
}

const longestError = 500;

const addedRow = contextKey<AddedRow | undefined>('outbox.addedRow', undefined);

/** An event as the row with its id is sent. */
export interface Prepared {
  /** Its payload is encoded; time and meta are set, and cause where there is one. */
  readonly event: NewEvent & Required<Pick<NewEvent, 'data' | 'time' | 'meta'>>;
  /** `ctx`, as that of what this event leads to. */
  readonly inner: Context;
}

/**
 * `event` as it is to be sent to `stream` as the row `id`, with what it comes from by `ctx`. What a log would refuse
 * whenever it is asked is refused here, save ids of other logs, which only the log knows.
 *
 * @throws {InvalidStreamError} @throws {InvalidArgumentError} naming the field. @throws {DataEncodingError}
 */
export function prepare(ctx: Context, id: string, stream: string, event: NewEvent): Prepared {
  checkStream(stream);
  checkNewEvent(event);
  const { type, data = Data.nil, time = new Date(), schema = '', aggregate = '', meta: given = {} } = event;
  checkCommitBytes([{ data: data.text() ?? data.encode() }]);
  const handled = ctx.value(handledEvent);
  const added = ctx.value(addedRow);
  const row = added !== undefined && added.handled === handled ? added : undefined;
  const origin = event.cause === undefined ? originOf(row, handled) : {};
  const cause = event.cause ?? origin.cause;
  const inherited = row?.correlation ?? (handled === undefined ? undefined : (handled.meta.correlation ?? handled.id));
  const meta = {
    correlation: inherited ?? id,
    ...(origin.causeOutbox === undefined ? {} : { causeOutbox: origin.causeOutbox }),
    ...given,
    outbox: id,
  };
  encodeMeta(meta);
  return {
    event: { type, data, time, schema, aggregate, meta, ...(cause === undefined ? {} : { cause }) },
    inner: withValue(ctx, addedRow, { id, correlation: meta.correlation, handled }),
  };
}

/** What an operator may read of `error`, on one line; what is not meant for callers may hold anything, and is logged. */
export function errorText(error: unknown): string {
  const text = DomainError.is(error) ? error.publicMessage : `${nameOf(error)}: the server's log says more`;
  // PostgreSQL does not take every control character.
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, longestError)
    .toWellFormed();
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'an error';
}

function originOf(
  row: AddedRow | undefined,
  handled: Event | undefined,
): Pick<NewEvent, 'cause'> & { causeOutbox?: string } {
  if (row !== undefined) return { causeOutbox: row.id };
  return handled === undefined ? {} : { cause: handled.id };
}
