import { InvalidEventIdError } from './errors.ts';

declare const eventId: unique symbol;

/**
 * Names one event of one log: 128 bits as 26 characters of Crockford's base 32, a ULID's alphabet and length. The order
 * of the characters is the order of the log. Ids are never reused, also not after a crash or for an erased stream.
 */
export type EventId = string & { readonly [eventId]: true };

// 26 × 5 bits are 130: the first character holds only the topmost three of 128.
// Both cases by name, as other letters have some of these in the other case.
const pattern = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;

/** @throws {InvalidEventIdError} if `text` is not an event id. Lower case is accepted. */
export function parseEventId(text: string): EventId {
  if (typeof text !== 'string' || !pattern.test(text)) throw new InvalidEventIdError(text);
  return text.toUpperCase() as EventId;
}
