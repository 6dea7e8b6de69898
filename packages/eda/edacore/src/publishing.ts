import { type Context, throwIfDone } from '@samovar/context';
import {
  checkStream,
  Data,
  type EventId,
  handledEvent,
  InvalidArgumentError,
  type NewEvent,
  type PublishOptions,
} from '@samovar/eda';
import { Append, type ExpectedHead, type NewRow } from './backend.ts';
import { checkText, idOf, Known } from './checks.ts';
import { causedBy, kindOf } from './event.ts';
import { encodeId, maxCommit } from './ids.ts';

/** Bytes of payload that one commit may hold. */
const maxPayload = 8 * 1024 * 1024;
/** Characters of an event's meta, as JSON. */
const maxMeta = 16 * 1024;

const knownStreams = new Known(checkStream);
const knownTypes = new Known((type: string) => checkText('type', type, 1));

/** Checks and encodes what a caller wants published in the log numbered `log`. @throws as `Conn.publish` says. */
export function newAppend(
  log: number,
  client: string | null,
  ctx: Context,
  stream: string,
  events: readonly NewEvent[],
  options: PublishOptions | undefined,
  single: boolean,
): Append {
  throwIfDone(ctx);
  knownStreams.check(stream);
  if (!Array.isArray(events)) throw new InvalidArgumentError('events', 'is no array');
  if (events.length > maxCommit) throw new InvalidArgumentError('events', `are more than ${maxCommit}`);
  const key = options?.key;
  if (key !== undefined) checkText('key', key, 1);
  const expected = expectedHead(log, options?.expectedHead);
  const causing = ctx.value(handledEvent);
  const inherited = causing === undefined ? undefined : causedBy(causing, log);
  const rows = events.map((event) => encode(log, event, inherited));
  const size = checkSize(rows);
  return new Append({ ctx, stream, client, rows, size, key }, expected, single);
}

function expectedHead(log: number, id: EventId | null | undefined): ExpectedHead | undefined {
  if (id === undefined) return undefined;
  if (id === null) return { seq: 0, clock: 0, id };
  const { seq, last, clock } = idOf(log, 'expectedHead', id);
  return { seq, clock, id: encodeId(log, seq, last, clock) };
}

function encode(log: number, event: NewEvent, inherited: ReturnType<typeof causedBy> | undefined): NewRow {
  if (typeof event !== 'object' || event === null) throw new InvalidArgumentError('event', 'is no object');
  const { data = Data.nil } = event;
  knownTypes.check(event.type);
  if (!(data instanceof Data))
    throw new InvalidArgumentError('data', 'is no Data: make it with Data.json(value) or so');
  return {
    kind: kindOf(data.type),
    type: event.type,
    data: data.type === 'nil' ? null : (data.text() ?? data.encode()),
    time: timeOf(event.time),
    schema: textOf('schema', event.schema),
    aggregate: textOf('aggregate', event.aggregate),
    cause: causeOf(log, event.cause) ?? inherited?.cause ?? null,
    meta: encodeMeta(event.meta, inherited?.correlation),
  };
}

function timeOf(time: Date | undefined): number {
  if (time === undefined) return Date.now();
  if (!(time instanceof Date) || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('time', 'is no valid Date');
  return time.getTime();
}

function textOf(field: string, text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  checkText(field, text, 0);
  return text;
}

function causeOf(log: number, cause: EventId | undefined): EventId | undefined {
  if (cause === undefined) return undefined;
  const { seq, last, clock } = idOf(log, 'cause', cause);
  return encodeId(log, seq, last, clock);
}

function encodeMeta(meta: NewEvent['meta'], correlation: string | undefined): string | null {
  if (meta === undefined) return correlation === undefined ? null : JSON.stringify({ correlation });
  if (typeof meta !== 'object' || meta === null) throw new InvalidArgumentError('meta', 'is no object');
  const entries = Object.entries(meta);
  for (const [name, value] of entries) {
    if (typeof value !== 'string')
      throw new InvalidArgumentError('meta', `has a ${typeof value} under ${name}: write texts`);
  }
  if (correlation !== undefined && !Object.hasOwn(meta, 'correlation')) entries.push(['correlation', correlation]);
  if (entries.length === 0) return null;
  const json = JSON.stringify(Object.fromEntries(entries));
  if (json.length > maxMeta) throw new InvalidArgumentError('meta', `is more than ${maxMeta} characters as JSON`);
  return json;
}

function checkSize(rows: readonly NewRow[]): number {
  let size = 0;
  for (const { data } of rows) size += data?.length ?? 0;
  if (size * 3 <= maxPayload) return size;
  let bytes = 0;
  for (const { data } of rows) bytes += typeof data === 'string' ? Buffer.byteLength(data) : (data?.length ?? 0);
  if (bytes > maxPayload) throw new InvalidArgumentError('data', `is more than ${maxPayload} bytes in one commit`);
  return size;
}
