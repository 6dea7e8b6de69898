import type { Tail } from '@samovar/activity';
import type { EventStream } from '@samovar/eda';
import { Batch } from '../wire/batch.ts';

/** A response goes out once it has about so many bytes: it may have a large event more. */
export const responseBytes = 32 * 1024;

/**
 * What a stream that ends has, and that this is all, which is said even if there was nothing; not so when it is read
 * `again`. Its own result is the last event, undefined if there was none.
 */
export async function* history(stream: EventStream, again = false): AsyncGenerator<Uint8Array, Tail | undefined> {
  const batch = new Batch(responseBytes);
  let last: Tail | undefined;
  for await (const event of stream) {
    batch.add(event);
    last = event.id;
    if (batch.isFull) yield batch.take(false);
  }
  if (!again || !batch.isEmpty) yield batch.take(true);
  return last;
}
