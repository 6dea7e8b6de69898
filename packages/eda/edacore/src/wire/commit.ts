import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { DataEncodingError, type DataType, type EventId, parseEventId } from '@samovar/eda';
import type { NewRow } from '../append.ts';
import { maxCommit } from '../ids.ts';
import { Writer } from './writer.ts';

/*
 * The message of commit.proto beside this file. It is written by hand because every published and delivered event passes
 * through here, and generated code reflects on its schema for each field.
 */

const kinds: readonly DataType[] = ['nil', 'json', 'string', 'bytes', 'proto'];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => utf8.decode(bytes);
const latest = 8.64e15;

/** What a publisher stores at once. */
export interface NewCommit {
  /** The publisher's clock, in milliseconds. */
  readonly clock: number;
  readonly client: string | null;
  readonly rows: readonly NewRow[];
}

/** A commit as its message says. */
export interface WireCommit {
  readonly clock: number;
  readonly client: string;
  readonly events: readonly WireEvent[];
}

/** An event as its message says. Absent texts are ''. */
export interface WireEvent {
  readonly type: string;
  readonly dataType: DataType;
  readonly data: Uint8Array;
  readonly time: number;
  readonly schema: string;
  readonly aggregate: string;
  readonly cause: EventId | null;
  readonly meta: Readonly<Record<string, string>>;
}

/** The bytes of a `samovar.eda.v1.Commit`. */
export function encodeCommit({ clock, client, rows }: NewCommit): Uint8Array {
  const writer = new Writer();
  if (clock !== 0) writer.uint(1, clock);
  if (client !== null) writer.text(2, client);
  for (const row of rows) {
    const start = writer.begin(3);
    encodeEvent(writer, row);
    writer.end(start);
  }
  return writer.finish();
}

/**
 * What the bytes of a `samovar.eda.v1.Commit` say. Fields that are not known are passed over. Payloads are not copied,
 * and are checked when they are decoded.
 *
 * @throws {DataEncodingError} if they are none, or one that nobody may have published.
 */
export function decodeCommit(bytes: Uint8Array): WireCommit {
  try {
    const commit = readCommit(new BinaryReader(bytes, decodeUtf8));
    checkCommit(commit);
    return commit;
  } catch (cause) {
    throw new DataEncodingError('this is no commit of an event log', { cause });
  }
}

function encodeEvent(writer: Writer, row: NewRow): void {
  writer.text(1, row.type);
  if (row.kind !== 0) writer.uint(2, row.kind);
  if (typeof row.data === 'string') text(writer, 3, row.data);
  else if (row.data !== null && row.data.length > 0) writer.bytes(3, row.data);
  if (row.time !== 0) writer.sint(4, row.time);
  text(writer, 5, row.schema);
  text(writer, 6, row.aggregate);
  text(writer, 7, row.cause);
  if (row.meta === null) return;
  for (const [key, value] of Object.entries(JSON.parse(row.meta) as Record<string, string>)) {
    const start = writer.begin(8);
    text(writer, 1, key);
    text(writer, 2, value);
    writer.end(start);
  }
}

function text(writer: Writer, field: number, value: string | null): void {
  if (value !== null && value !== '') writer.text(field, value);
}

function readCommit(reader: BinaryReader): WireCommit {
  let [clock, client] = [0, ''];
  const events: WireEvent[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.Varint) clock = Number(reader.uint64());
    else if (field === 2 && type === WireType.LengthDelimited) client = reader.string();
    else if (field === 3 && type === WireType.LengthDelimited) {
      if (events.length === maxCommit) throw new RangeError(`more than ${maxCommit} events`);
      events.push(readEvent(reader, endOf(reader)));
    } else reader.skip(type, field);
  }
  return { clock, client, events };
}

const noBytes = new Uint8Array(0);
const noMeta: Readonly<Record<string, string>> = Object.freeze({});

function readEvent(reader: BinaryReader, end: number): WireEvent {
  let [name, kind, time] = ['', 0, 0];
  let data: Uint8Array = noBytes;
  const texts = ['', '', ''];
  let meta: Record<string, string> | undefined;
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    const isText = type === WireType.LengthDelimited;
    if (field === 1 && isText) name = reader.string();
    else if (field === 2 && type === WireType.Varint) kind = reader.int32();
    else if (field === 3 && isText) data = reader.bytes();
    else if (field === 4 && type === WireType.Varint) time = Number(reader.sint64());
    else if (field >= 5 && field <= 7 && isText) texts[field - 5] = reader.string();
    else if (field === 8 && isText) meta = readMeta(reader, endOf(reader), meta ?? {});
    else reader.skip(type, field);
  }
  checkEnd(reader, end);
  const dataType = kinds[kind];
  if (dataType === undefined) throw new RangeError(`payloads of kind ${kind} are not known`);
  const [schema, aggregate, cause] = texts as [string, string, string];
  return {
    type: name,
    dataType,
    data,
    time,
    schema,
    aggregate,
    cause: cause === '' ? null : parseEventId(cause),
    meta: meta === undefined ? noMeta : Object.freeze(meta),
  };
}

/** Adds one entry to `meta`, under whatever name. */
function readMeta(reader: BinaryReader, end: number, meta: Record<string, string>): Record<string, string> {
  let [key, value] = ['', ''];
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) key = reader.string();
    else if (field === 2 && type === WireType.LengthDelimited) value = reader.string();
    else reader.skip(type, field);
  }
  checkEnd(reader, end);
  return Object.defineProperty(meta, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Where the message that begins here ends. */
function endOf(reader: BinaryReader): number {
  const size = reader.uint32();
  return reader.pos + size;
}

function checkEnd(reader: BinaryReader, end: number): void {
  if (reader.pos !== end) throw new RangeError('a message does not end where it should');
}

function checkCommit({ clock, events }: WireCommit): void {
  if (!(clock < 2 ** 48)) throw new RangeError(`the clock cannot be at ${clock}`);
  if (events.length === 0) throw new RangeError('no events');
  for (const { type, time } of events) {
    if (type === '') throw new RangeError('an event without a type');
    if (!(Math.abs(time) <= latest)) throw new RangeError(`no event happens at ${time}`);
  }
}
