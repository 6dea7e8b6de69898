import type { DataType } from './data.ts';
import type { Event } from './event.ts';

/** An event's JSON form, as HTTP, the command line and exports show it. */
export interface EventJson {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly dataType: DataType;
  /** json: the value; string: the text; nil: null; bytes and proto: `{ "base64": … }`. */
  readonly data: unknown;
  /** ISO 8601, UTC, with milliseconds; likewise `ackTime`. */
  readonly time: string;
  readonly ackTime: string;
  readonly schema: string;
  readonly client: string;
  readonly aggregate: string;
  readonly cause: string | null;
  readonly meta: Readonly<Record<string, string>>;
  readonly deliveries: number;
}

/** @throws {DataEncodingError} if the payload is damaged. */
export function eventToJson(event: Event): EventJson {
  const { stream, id, type, schema, client, aggregate, cause, meta, deliveries } = event;
  const times = { time: event.time.toISOString(), ackTime: event.ackTime.toISOString() };
  const payload = { dataType: event.data.type, data: dataToJson(event) };
  return { stream, id, type, ...payload, ...times, schema, client, aggregate, cause, meta, deliveries };
}

function dataToJson({ data }: Event): unknown {
  switch (data.type) {
    case 'json':
      return data.json();
    case 'string':
      return data.string();
    case 'nil':
      return null;
    default:
      return { base64: Buffer.from(data.encode()).toString('base64') };
  }
}
