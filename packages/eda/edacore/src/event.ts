import { Data, DataEncodingError, type DataType, type Event, type EventId } from '@samovar/eda';
import { decodeId, encodeId, type Seq } from './ids.ts';

const dataTypes: readonly DataType[] = ['nil', 'json', 'string', 'bytes', 'proto'];
const lastFlag = 8;
const noMeta: Readonly<Record<string, string>> = Object.freeze({});

/** An event's payload type as a small number, which leaves room for whether it is the last of its commit. */
export function kindOf(type: DataType): number {
  return dataTypes.indexOf(type);
}

/** The kind of an event that is the last of its commit. */
export function asLast(kind: number): number {
  return kind | lastFlag;
}

/** A stored event, as a query answers it. Empty texts and missing values are null. */
export type Row = readonly [
  seq: Seq,
  /** How the backend knows the stream. */
  stream: number,
  kind: number,
  type: string,
  data: Uint8Array | string | null,
  time: number,
  acked: number,
  client: string | null,
  schema: string | null,
  aggregate: string | null,
  cause: string | null,
  /** JSON. */
  meta: string | null,
];

/** An event over its stored row: what takes work is decoded when asked for, and once. */
export class StoredEvent implements Event {
  readonly stream: string;
  readonly deliveries: number;
  /** The number of the log it is from. */
  readonly log: number;
  readonly #row: Row;
  #id: EventId | undefined;
  #data: Data | undefined;
  #meta: Readonly<Record<string, string>> | undefined;

  constructor(log: number, stream: string, row: Row, deliveries = 0) {
    this.log = log;
    this.stream = stream;
    this.deliveries = deliveries;
    this.#row = row;
  }

  /** The same event as handed out for the `deliveries`th time. */
  delivered(deliveries: number): StoredEvent {
    return new StoredEvent(this.log, this.stream, this.#row, deliveries);
  }

  get seq(): Seq {
    return this.#row[0];
  }

  get id(): EventId {
    this.#id ??= encodeId(this.log, this.#row[0], (this.#row[2] & lastFlag) !== 0, this.#row[6]);
    return this.#id;
  }

  get type(): string {
    return this.#row[3];
  }

  get data(): Data {
    this.#data ??= Data.decode(dataTypes[this.#row[2] & ~lastFlag] as DataType, this.#row[4] ?? '');
    return this.#data;
  }

  get time(): Date {
    return new Date(this.#row[5]);
  }

  get ackTime(): Date {
    return new Date(this.#row[6]);
  }

  get client(): string {
    return this.#row[7] ?? '';
  }

  get schema(): string {
    return this.#row[8] ?? '';
  }

  get aggregate(): string {
    return this.#row[9] ?? '';
  }

  get cause(): EventId | null {
    return this.#row[10] as EventId | null;
  }

  get meta(): Readonly<Record<string, string>> {
    const json = this.#row[11];
    this.#meta ??= json === null ? noMeta : decodeMeta(json);
    return this.#meta;
  }

  is(...types: readonly string[]): boolean {
    return types.includes(this.#row[3]);
  }
}

/** Cause and correlation that an event published while `event` is being handled gets in the log numbered `log`. */
export function causedBy(event: Event, log: number): { readonly cause: EventId | null; readonly correlation: string } {
  const correlation = event.meta.correlation ?? event.id;
  return { cause: decodeId(event.id).log === log ? event.id : null, correlation };
}

/** @throws {DataEncodingError} if it is damaged. */
function decodeMeta(json: string): Readonly<Record<string, string>> {
  let meta: unknown;
  try {
    meta = JSON.parse(json);
  } catch (cause) {
    throw new DataEncodingError("the event's meta is damaged", { cause });
  }
  if (typeof meta !== 'object' || meta === null) throw new DataEncodingError("the event's meta is damaged");
  return Object.freeze(meta as Record<string, string>);
}
