import { type Context, throwIfDone } from '@samovar/context';
import {
  checkCommitBytes,
  checkNewEvent,
  checkStream,
  checkText,
  Data,
  type EventId,
  encodeMeta,
  handledEvent,
  InvalidArgumentError,
  type NewEvent,
  type PublishOptions,
} from '@samovar/eda';
import { Append, type ExpectedHead, type NewRow } from './append.ts';
import { idOf } from './checks.ts';
import { causedBy, kindOf } from './event.ts';
import { encodeId, maxCommit } from './ids.ts';

/** What a connection gives to all that is published on it. */
export interface Publisher {
  /** The number of the log. */
  readonly log: number;
  /** Its name; null: none. */
  readonly client: string | null;
  readonly maxCommitBytes: number;
  /** The clock, in milliseconds, for events that tell no time. Default: the system's. */
  readonly now?: () => number;
}

/** Checks and encodes what a caller wants published. @throws as `Conn.publish` says. */
export function newAppend(
  { log, client, maxCommitBytes, now = Date.now }: Publisher,
  ctx: Context,
  stream: string,
  events: readonly NewEvent[],
  options: PublishOptions | undefined,
  single: boolean,
): Append {
  throwIfDone(ctx);
  checkStream(stream);
  if (!Array.isArray(events)) throw new InvalidArgumentError('events', 'is no array');
  if (events.length > maxCommit) throw new InvalidArgumentError('events', `are more than ${maxCommit}`);
  const key = options?.key;
  if (key !== undefined) checkText('key', key, 1);
  const expected = expectedHead(log, options?.expectedHead);
  const causing = ctx.value(handledEvent);
  const inherited = causing === undefined ? undefined : causedBy(causing, log);
  const rows = events.map((event) => encode(log, event, inherited, now));
  const size = checkCommitBytes(rows, maxCommitBytes);
  return new Append({ ctx, stream, client, rows, size, key }, expected, single);
}

function expectedHead(log: number, id: EventId | null | undefined): ExpectedHead | undefined {
  if (id === undefined) return undefined;
  if (id === null) return { seq: 0, clock: 0, id };
  const { seq, last, clock } = idOf(log, 'expectedHead', id);
  return { seq, clock, id: encodeId(log, seq, last, clock) };
}

function encode(
  log: number,
  event: NewEvent,
  inherited: ReturnType<typeof causedBy> | undefined,
  now: () => number,
): NewRow {
  checkNewEvent(event);
  const { data = Data.nil, time, schema, aggregate } = event;
  return {
    kind: kindOf(data.type),
    type: event.type,
    data: data.type === 'nil' ? null : (data.text() ?? data.encode()),
    time: time === undefined ? now() : time.getTime(),
    schema: schema || null,
    aggregate: aggregate || null,
    cause: causeOf(log, event.cause) ?? inherited?.cause ?? null,
    meta: metaOf(event.meta, inherited?.correlation),
  };
}

function causeOf(log: number, cause: EventId | undefined): EventId | undefined {
  if (cause === undefined) return undefined;
  const { seq, last, clock } = idOf(log, 'cause', cause);
  return encodeId(log, seq, last, clock);
}

function metaOf(meta: NewEvent['meta'], correlation: string | undefined): string | null {
  if (meta === undefined && correlation === undefined) return null;
  const json = encodeMeta(correlation === undefined ? { ...meta } : { correlation, ...meta });
  return json === '{}' ? null : json;
}
