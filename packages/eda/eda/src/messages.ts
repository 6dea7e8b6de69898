import { contextKey } from '@samovar/context';
import type { EventType } from '@samovar/message';
import { Data } from './data.ts';
import type { Event, NewEvent } from './event.ts';

/** The event whose handler is running; what is published under its context is caused by it. */
export const handledEvent = contextKey<Event | undefined>('eda.handledEvent', undefined);

/** Whether a handler runs for a replay of parked events: what is told to the outside world may have been told before. */
export const replaying = contextKey('eda.replaying', false);

/** An event message as a log takes it: its name as the type, its version as the schema, `data` as JSON. */
export function newEvent<D>(message: EventType<D>, data: NoInfer<D>): NewEvent {
  return { type: message.name, schema: String(message.version), data: Data.json(data) };
}

/**
 * What an event of the log says as `message`, brought up to today's version of it and parsed.
 *
 * @throws {InvalidMessageError} if it does not fit, or is of a version that `message` does not know.
 * @throws {DataEncodingError} if the payload is not JSON.
 */
export function dataOf<D, P>(message: EventType<D, P>, event: Event): P {
  return message.upcast(Number(event.schema), event.data.json());
}
