import { Data, type DataType, type EventId, type NewEvent } from '@samovar/eda';
import type { Prepared } from '@samovar/outboxcore';

/** An event in its row. Absent: the log's default. */
interface Stored {
  readonly type: string;
  readonly kind: DataType;
  readonly text?: string;
  readonly base64?: string;
  readonly time: number;
  readonly schema?: string;
  readonly aggregate?: string;
  readonly cause?: EventId;
  readonly meta: Readonly<Record<string, string>>;
}

export function encodeEvent({ type, data, time, schema, aggregate, cause, meta }: Prepared['event']): string {
  const text = data.text();
  const bytes = text === undefined && data.type !== 'nil' ? data.encode() : undefined;
  const stored: Stored = {
    type,
    kind: data.type,
    ...(text === undefined ? {} : { text }),
    ...(bytes === undefined ? {} : { base64: Buffer.from(bytes).toString('base64') }),
    time: time.getTime(),
    ...(schema ? { schema } : {}),
    ...(aggregate ? { aggregate } : {}),
    ...(cause === undefined ? {} : { cause }),
    meta,
  };
  return JSON.stringify(stored);
}

export function decodeEvent(stored: string): NewEvent {
  const { kind, text, base64, time, ...rest } = JSON.parse(stored) as Stored;
  const data = Data.decode(kind, text ?? Buffer.from(base64 ?? '', 'base64'));
  return { ...rest, time: new Date(time), data };
}
