import { completed, endOfStream, type Outcome, retry, type Tail } from '@samovar/activity';
import type { Event, EventStream } from '@samovar/eda';

/**
 * Handles each event there is, one by one; where there is none, the next one that comes. So the tail is stored event by
 * event where streams wait for more, too.
 */
export async function eachEvent(
  tail: Tail,
  events: EventStream,
  handle: (event: Event) => Promise<void>,
): Promise<Outcome> {
  let last = tail;
  try {
    for await (const event of events.history()) {
      await handle(event);
      last = event.id;
    }
    if (last !== tail) return endOfStream(last);
    for await (const event of events) {
      await handle(event);
      return endOfStream(event.id);
    }
    return endOfStream(last);
  } catch (error) {
    return retry(last, error as Error);
  }
}

/**
 * Has `act` bring about what the entity's present state asks for: once for all the events there are, then after each
 * further one, until it answers that all is done. Only then are the events behind the tail, so that it acts again after
 * a crash.
 */
export async function eachTime(tail: Tail, events: EventStream, act: () => Promise<boolean>): Promise<Outcome> {
  let last = tail;
  try {
    let seen = tail;
    for await (const { id } of events.history()) seen = id;
    if (await act()) return completed(seen);
    last = seen;
    for await (const { id } of events) {
      if (await act()) return completed(id);
      last = id;
    }
    return endOfStream(last);
  } catch (error) {
    return retry(last, error as Error);
  }
}
