import type { Event, EventId, EventStream } from '@samovar/eda';
import { encodePart, joinParts } from '../wire/batch.ts';

/** Events that came at about the same time, encoded once for all who want them. */
export class News {
  /** Of the last event. */
  readonly last: EventId;
  /** All of them. */
  readonly response: Uint8Array;
  readonly #ids: readonly EventId[];
  /** Where in the response each event begins. */
  readonly #starts: readonly number[];

  /** At least one event, in order. */
  constructor(ids: readonly EventId[], parts: readonly Uint8Array[], isHead: boolean) {
    this.last = ids.at(-1) as EventId;
    this.response = joinParts(parts, isHead);
    this.#ids = ids;
    let end = 0;
    this.#starts = parts.map(({ byteLength }) => {
      end += byteLength;
      return end - byteLength;
    });
  }

  /** Those of them behind `after`. */
  behind(after: EventId | null): Uint8Array {
    const from = after === null ? 0 : this.#ids.findIndex((id) => id > after);
    return from === 0 ? this.response : this.response.subarray(this.#starts[from]);
  }
}

/** What a watched stream gives, from about so many bytes on in several pieces. @throws {DataEncodingError} */
export async function* newsOf(stream: EventStream, largest: number): AsyncGenerator<News> {
  const events = stream[Symbol.asyncIterator]();
  let next = events.next();
  try {
    for (;;) {
      const first = await next;
      if (first.done) return;
      const ids: EventId[] = [];
      const parts: Uint8Array[] = [];
      let bytes = 0;
      let found: IteratorResult<Event> | undefined = first;
      do {
        const part = encodePart(found.value);
        ids.push(found.value.id);
        parts.push(part);
        bytes += part.byteLength;
        next = events.next();
        found = await Promise.race([next, turn()]);
      } while (found !== undefined && !found.done && bytes < largest);
      yield new News(ids, parts, found === undefined);
    }
  } finally {
    // Whoever reads has gone: what is still waited for does not count.
    next.catch(() => {});
    await events.return?.();
  }
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
