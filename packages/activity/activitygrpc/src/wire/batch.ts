import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Event } from '@samovar/eda';
import { LRUCache } from 'lru-cache';
import { encodeEvent } from './event.ts';

/** All responses with events have the same fields under the same numbers: what is encoded for one is for all. */
const eventsField = 1;
const willBlockField = 2;
const willBlock = new BinaryWriter().tag(willBlockField, WireType.Varint).bool(true).finish();

/** Events as part of a response. Each is encoded once, as long as it is among the last that were asked for. */
export class EncodedEvents {
  readonly #chunks: LRUCache<string, Uint8Array>;

  /** Of at most so many bytes. */
  constructor(maxBytes: number) {
    // An entry takes some room besides its bytes.
    this.#chunks = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ byteLength }) => byteLength + 200 });
  }

  /** @throws {DataEncodingError} if the payload is damaged. */
  get(event: Event): Uint8Array {
    const { id } = event;
    const known = this.#chunks.get(id);
    if (known !== undefined) return known;
    const chunk = new BinaryWriter().tag(eventsField, WireType.LengthDelimited).bytes(encodeEvent(event)).finish();
    this.#chunks.set(id, chunk);
    return chunk;
  }
}

/** Gathers the chunks of a response. */
export class Batch {
  readonly #largest: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** It is full from so many bytes on. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#largest;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
  }

  /** The response, and begins the next. */
  take(isHead: boolean): Uint8Array {
    const response = Buffer.concat(isHead ? [...this.#chunks, willBlock] : this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    return response;
  }
}
