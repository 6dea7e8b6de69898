import type { Event, EventId } from '@samovar/eda';
import { keyOf, streamOf } from './load.ts';

/** What was promised to publishers and done by subscribers, as they said it. */
export class Ledger {
  readonly #acknowledged = new Map<string, EventId>();
  /** For each publisher, the first number that was not acknowledged. */
  readonly #next = new Map<string, number>();
  readonly #handled = new Set<EventId>();
  readonly #lastHandled = new Map<string, EventId>();
  /** How often an event was handled again. */
  repeated = 0;

  get published(): number {
    return this.#acknowledged.size;
  }

  nextOf(publisher: string): number {
    return this.#next.get(publisher) ?? 0;
  }

  /** @throws {Error} if the same was acknowledged as another event before. */
  acknowledged(publisher: string, n: number, id: EventId): void {
    const key = keyOf(publisher, n);
    const before = this.#acknowledged.get(key);
    if (before !== undefined && before !== id) throw new Error(`${key} was stored as ${before}, then again as ${id}`);
    this.#acknowledged.set(key, id);
    let next = this.nextOf(publisher);
    while (this.#acknowledged.has(keyOf(publisher, next))) next++;
    this.#next.set(publisher, next);
  }

  /** @throws {Error} if an event comes for the first time that one behind it on its stream has overtaken. */
  handled(id: EventId, stream: string): void {
    if (this.#handled.has(id)) {
      this.repeated++;
      return;
    }
    const last = this.#lastHandled.get(stream);
    if (last !== undefined && last > id) throw new Error(`${stream}: ${id} was handled after ${last}`);
    this.#handled.add(id);
    this.#lastHandled.set(stream, id);
  }

  /** @throws {Error} if the log, in its order, is not what was promised, or something in it was not handled. */
  async settle(events: AsyncIterable<Event>): Promise<void> {
    const keys = new Set<string>();
    const lastOf = new Map<string, number>();
    let last = '';
    for await (const { id, stream, data } of events) {
      const { name, n } = data.json<{ name: string; n: number }>();
      const key = keyOf(name, n);
      if (id <= last) throw new Error(`${id} does not come after ${last}`);
      if (stream !== streamOf(n)) throw new Error(`${key} is on ${stream}`);
      if (keys.has(key)) throw new Error(`${key} is stored twice`);
      if (n <= (lastOf.get(`${name} ${stream}`) ?? -1)) throw new Error(`${stream}: ${key} is out of order`);
      if (!this.#handled.has(id)) throw new Error(`${key}, ${id} on ${stream}, was not handled`);
      const promised = this.#acknowledged.get(key);
      if (promised !== undefined && promised !== id)
        throw new Error(`${key} is ${id}, and was promised as ${promised}`);
      keys.add(key);
      lastOf.set(`${name} ${stream}`, n);
      last = id;
    }
    for (const key of this.#acknowledged.keys())
      if (!keys.has(key)) throw new Error(`${key} was acknowledged, and is lost`);
  }
}
