import type { Event, SubscriptionOptions } from '@samovar/eda';
import type { Delivery } from './unacked.ts';

/** What orders events. @throws whatever the subscription's function throws. */
export function keyOf(keyBy: NonNullable<SubscriptionOptions['keyBy']>, event: Event): string {
  if (keyBy === 'stream') return event.stream;
  if (keyBy === 'aggregate') return event.aggregate;
  const key: unknown = keyBy(event);
  if (typeof key !== 'string') throw new TypeError(`keyBy gave ${key === null ? 'null' : typeof key}, not a text`);
  // As it comes back when it is stored.
  return key.toWellFormed();
}

/** The deliveries of each key, of which the first is being tried; the others wait for it. */
export class Lanes {
  readonly #last = new Map<string, Delivery>();

  /** Whether it is the delivery's turn at once. */
  join(key: string, delivery: Delivery): boolean {
    const last = this.#last.get(key);
    this.#last.set(key, delivery);
    if (last === undefined) return true;
    last.behind = delivery;
    return false;
  }

  /** The first one of its key is acknowledged. Answers with the one whose turn it is. */
  leave(key: string, delivery: Delivery): Delivery | undefined {
    if (delivery.behind === undefined) this.#last.delete(key);
    return delivery.behind;
  }

  /** The first one of its key is set aside. Answers with those behind it, which are as well. */
  clear(key: string, delivery: Delivery): Delivery[] {
    const behind: Delivery[] = [];
    for (let next = delivery.behind; next !== undefined; next = next.behind) behind.push(next);
    this.#last.delete(key);
    return behind;
  }
}
