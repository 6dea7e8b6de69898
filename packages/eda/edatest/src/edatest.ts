import { Data, type Event, newEvent, parseEventId } from '@samovar/eda';
import type { EventType } from '@samovar/message';

export { ManualClock } from './clock.ts';

let made = 0;

/**
 * An event that says `data` as `message`, as a log hands it to a handler for the first time: to call a consumer by hand.
 * The payload has been JSON; ids grow from call to call. The stream is the message's, `test` if it has none. Whatever
 * `overrides` has is taken from there.
 *
 * @throws {DataEncodingError} if JSON cannot hold `data`.
 */
export function eventOf<D>(message: EventType<D>, data: NoInfer<D>, overrides: Partial<Omit<Event, 'is'>> = {}): Event {
  const { type, schema = '', data: payload = Data.nil } = newEvent(message, data);
  const now = new Date();
  const facts = {
    stream: message.stream?.(data) ?? 'test',
    id: parseEventId(String(++made).padStart(26, '0')),
    type,
    data: Data.decode('json', payload.encode()),
    time: now,
    ackTime: now,
    schema,
    client: '',
    aggregate: '',
    cause: null,
    meta: {},
    deliveries: 1,
    ...overrides,
  };
  return { ...facts, is: (...types) => types.includes(facts.type) };
}
