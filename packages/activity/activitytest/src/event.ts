import { Data, type Event, type EventId, type NewEvent } from '@samovar/eda';

/** The event that a log would give for `event`, as its `position`th. */
export function storedEvent(stream: string, position: number, now: Date, event: NewEvent): Event {
  const { type, data = Data.nil, time = now, schema = '', cause = null, aggregate = '', meta = {} } = event;
  return {
    stream,
    id: String(position).padStart(26, '0') as EventId,
    type,
    data,
    time,
    ackTime: now,
    schema,
    client: '',
    aggregate,
    cause,
    meta,
    deliveries: 0,
    is: (...types) => types.includes(type),
  };
}
