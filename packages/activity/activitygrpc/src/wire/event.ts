import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate, timestampMs } from '@bufbuild/protobuf/wkt';
import { DataKind, EventSchema, type Event as WireEvent } from '@samovar/api/entities/v1/event';
import { Data, DataEncodingError, type DataType, type Event, type EventId } from '@samovar/eda';

const dataKinds: Readonly<Record<DataType, DataKind>> = {
  nil: DataKind.NIL,
  json: DataKind.JSON,
  string: DataKind.STRING,
  bytes: DataKind.BYTES,
  proto: DataKind.PROTO,
};
const dataTypes = new Map(Object.entries(dataKinds).map(([type, kind]) => [kind, type as DataType]));

/** @throws {DataEncodingError} if the payload is damaged. */
export function encodeEvent(event: Event): Uint8Array {
  const { stream, id, type, data, schema, client, aggregate, deliveries } = event;
  const wire = create(EventSchema, {
    stream,
    id,
    type,
    dataKind: dataKinds[data.type],
    data: data.type === 'nil' ? new Uint8Array() : data.encode(),
    time: timestampFromDate(event.time),
    ackTime: timestampFromDate(event.ackTime),
    schema,
    client,
    aggregate,
    cause: event.cause ?? '',
    meta: { ...event.meta },
    deliveries,
  });
  return toBinary(EventSchema, wire);
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

function decodeData({ dataKind, data }: WireEvent): Data {
  const type = dataTypes.get(dataKind);
  if (type === undefined)
    throw new DataEncodingError(`the payload is of kind ${dataKind}, which is of a newer protocol`);
  return Data.decode(type, data);
}

function dateOf(timestamp: WireEvent['time']): Date {
  return new Date(timestamp === undefined ? 0 : timestampMs(timestamp));
}
