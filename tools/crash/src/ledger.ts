import type { Event, EventId } from '@samovar/eda';
import { type Acknowledged, type Handled, keyOf, streamOf } from './load.ts';

/** What was promised to publishers and done by subscribers, as they said it. */
export class Ledger {
  readonly #acknowledged = new Map<string, EventId>();
  /** For each publisher, the first number that was not acknowledged. */
  readonly #next = new Map<string, number>();
  /** Under the id of each event that was handled, its key, and when that was done first. */
  readonly #handled = new Map<EventId, { readonly key: string; readonly at: number }>();
  /** How often an event was handled again. */
  repeated = 0;

  get published(): number {
    return this.#acknowledged.size;
  }

  nextOf(publisher: string): number {
    return this.#next.get(publisher) ?? 0;
  }

  /** @throws {Error} if the same was acknowledged as another event before. */
  acknowledged(publisher: string, { n, id }: Acknowledged): void {
    const key = keyOf(publisher, n);
    const before = this.#acknowledged.get(key);
    if (before !== undefined && before !== id) throw new Error(`${key} was stored as ${before}, then again as ${id}`);
    this.#acknowledged.set(key, id);
    let next = this.nextOf(publisher);
    while (this.#acknowledged.has(keyOf(publisher, next))) next++;
    this.#next.set(publisher, next);
  }

  /** @throws {Error} if the id was another event's before. */
  handled({ id, name, n, at }: Handled): void {
    const key = keyOf(name, n);
    const before = this.#handled.get(id);
    if (before !== undefined && before.key !== key) throw new Error(`${id} was ${before.key}, and then ${key}`);
    if (before !== undefined) this.repeated++;
    this.#handled.set(id, { key, at: Math.min(at, before?.at ?? at) });
  }

  /** @throws {Error} if the log, in its order, is not what was promised and handled, no more and no less. */
  async settle(events: AsyncIterable<Event>): Promise<void> {
    const stored = new Map<string, EventId>();
    const lastOf = new Map<string, number>();
    const lastHandled = new Map<string, { readonly key: string; readonly at: number }>();
    let last = '';
    for await (const { id, stream, data } of events) {
      const { name, n } = data.json<{ name: string; n: number }>();
      const key = keyOf(name, n);
      if (id <= last) throw new Error(`${id} does not come after ${last}`);
      if (stream !== streamOf(n)) throw new Error(`${key} is on ${stream}`);
      if (stored.has(key)) throw new Error(`${key} is stored twice`);
      if (n <= (lastOf.get(`${name} ${stream}`) ?? -1)) throw new Error(`${stream}: ${key} is out of order`);
      const handled = this.#handled.get(id);
      if (handled === undefined) throw new Error(`${key}, ${id} on ${stream}, was not handled`);
      const earlier = lastHandled.get(stream);
      if (earlier !== undefined && earlier.at > handled.at)
        throw new Error(`${stream}: ${key} was handled before ${earlier.key}`);
      const promised = this.#acknowledged.get(key);
      if (promised !== undefined && promised !== id)
        throw new Error(`${key} is ${id}, and was promised as ${promised}`);
      stored.set(key, id);
      lastOf.set(`${name} ${stream}`, n);
      lastHandled.set(stream, handled);
      last = id;
    }
    for (const key of this.#acknowledged.keys())
      if (!stored.has(key)) throw new Error(`${key} was acknowledged, and is lost`);
    for (const [id, { key }] of this.#handled)
      if (stored.get(key) !== id) throw new Error(`${key} was handled as ${id}, and is lost`);
  }
}
