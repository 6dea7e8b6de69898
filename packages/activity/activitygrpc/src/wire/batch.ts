import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Event } from '@samovar/eda';
import { payloadOf, writeEvent } from './event.ts';

/** All responses with events have the same fields under the same numbers: what is encoded for one is for all. */
const eventsField = 1;
const willBlockField = 2;
const willBlock = new BinaryWriter().tag(willBlockField, WireType.Varint).bool(true).finish();

/** About what an event takes besides its payload. */
const envelopeBytes = 150;
/** A writer keeps the room that it once needed: after a response of more, another one is made. */
const mostKept = 1024 * 1024;

/** For all, as a response is written at one go. */
let writer = new BinaryWriter();

/** Gathers the events of a response. */
export class Batch {
  readonly #largest: number;
  #events: Event[] = [];
  #bytes = 0;

  /** It is full from about so many bytes on. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#largest;
  }

  /** @throws {DataEncodingError} if the payload is damaged. */
  add(event: Event): void {
    this.#bytes += payloadOf(event.data).byteLength + envelopeBytes;
    this.#events.push(event);
  }

  /** The response, and begins the next. */
  take(isHead: boolean): Uint8Array {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    return encode(events, isHead);
  }
}

/** One event as part of a response, which is its parts one behind the other. @throws {DataEncodingError} */
export function encodePart(event: Event): Uint8Array {
  return encode([event], false);
}

/** A response of parts. */
export function joinParts(parts: readonly Uint8Array[], isHead: boolean): Uint8Array {
  return Buffer.concat(isHead ? [...parts, willBlock] : parts);
}

function encode(events: readonly Event[], isHead: boolean): Uint8Array {
  const taken = writer;
  // What fails half-way leaves nothing behind in it.
  writer = new BinaryWriter();
  for (const event of events) {
    taken.tag(eventsField, WireType.LengthDelimited).fork();
    writeEvent(taken, event);
    taken.join();
  }
  if (isHead) taken.raw(willBlock);
  const response = taken.finish();
  if (response.byteLength <= mostKept) writer = taken;
  return response;
}
