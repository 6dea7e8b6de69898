import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { DataKind, type Event as WireEvent } from '@samovar/api/entities/v1/event';
import { Data, DataEncodingError, type DataType, type Event, type EventId } from '@samovar/eda';

const dataKinds: Readonly<Record<DataType, DataKind>> = {
  nil: DataKind.NIL,
  json: DataKind.JSON,
  string: DataKind.STRING,
  bytes: DataKind.BYTES,
  proto: DataKind.PROTO,
};
const dataTypes = new Map(Object.entries(dataKinds).map(([type, kind]) => [kind, type as DataType]));

/**
 * Writes the fields of an event, under the numbers that the schema has for them. By hand, as `toBinary` takes several
 * times as long.
 *
 * @throws {DataEncodingError} if the payload is damaged.
 */
export function writeEvent(writer: BinaryWriter, event: Event): void {
  const { data, meta, deliveries } = event;
  writeString(writer, 1, event.stream);
  writeString(writer, 2, event.id);
  writeString(writer, 3, event.type);
  writer.tag(4, WireType.Varint).int32(dataKinds[data.type]);
  const payload = payloadOf(data);
  if (payload.byteLength > 0) writer.tag(5, WireType.LengthDelimited).bytes(payload);
  writeTime(writer, 6, event.time);
  writeTime(writer, 7, event.ackTime);
  writeString(writer, 8, event.schema);
  writeString(writer, 9, event.client);
  writeString(writer, 10, event.aggregate);
  writeString(writer, 11, event.cause ?? '');
  for (const key in meta) {
    writer.tag(12, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).string(meta[key] as string);
    writer.join();
  }
  if (deliveries !== 0) writer.tag(13, WireType.Varint).uint32(deliveries);
}

/** What travels of a payload. @throws {DataEncodingError} if it is damaged. */
export function payloadOf(data: Data): Uint8Array {
  return data.type === 'nil' ? none : data.encode();
}

/** The event as the server has it. Its payload is decoded when it is asked for. */
export function decodeEvent(wire: WireEvent): Event {
  const { stream, id, type, schema, client, aggregate, cause, meta, deliveries } = wire;
  return {
    stream,
    id: id as EventId,
    type,
    data: decodeData(wire),
    time: dateOf(wire.time),
    ackTime: dateOf(wire.ackTime),
    schema,
    client,
    aggregate,
    cause: cause === '' ? null : (cause as EventId),
    meta,
    deliveries,
    is: (...types) => types.includes(type),
  };
}

const none = new Uint8Array();

/** Nothing, if it is empty. */
function writeString(writer: BinaryWriter, field: number, text: string): void {
  if (text !== '') writer.tag(field, WireType.LengthDelimited).string(text);
}

/** As a google.protobuf.Timestamp. */
function writeTime(writer: BinaryWriter, field: number, time: Date): void {
  const ms = time.getTime();
  const seconds = Math.floor(ms / 1_000);
  const nanos = (ms - seconds * 1_000) * 1_000_000;
  writer.tag(field, WireType.LengthDelimited).fork();
  if (seconds !== 0) writer.tag(1, WireType.Varint).int64(seconds);
  if (nanos !== 0) writer.tag(2, WireType.Varint).int32(nanos);
  writer.join();
}

function decodeData({ dataKind, data }: WireEvent): Data {
  const type = dataTypes.get(dataKind);
  if (type === undefined)
    throw new DataEncodingError(`the payload is of kind ${dataKind}, which is of a newer protocol`);
  return Data.decode(type, data);
}

function dateOf(timestamp: WireEvent['time']): Date {
  return new Date(timestamp === undefined ? 0 : timestampMs(timestamp));
}
