import type { EventId } from '@samovar/eda';
import type { StoredEvent } from '../event.ts';

/** An event that was handed out, until it is acknowledged. */
export interface Delivery {
  readonly event: StoredEvent;
  /** How often it was handed out. */
  count: number;
  /** Runs until it is due again. */
  retry: NodeJS.Timeout | undefined;
  previous: Delivery | undefined;
  next: Delivery | undefined;
  /** The last event acknowledged between this one and `next`. */
  ackedBehind: StoredEvent | undefined;
}

/** What is handed out and not acknowledged, in log order; adding at the end and removing anywhere are immediate. */
export class Unacked {
  #first: Delivery | undefined;
  #end: Delivery | undefined;
  #size = 0;
  #acked: number;
  #last: EventId | StoredEvent | null;

  /** Goes on from `acked` acknowledged events, up to `last`. */
  constructor(acked: number, last: EventId | null) {
    this.#acked = acked;
    this.#last = last;
  }

  get size(): number {
    return this.#size;
  }

  get first(): Delivery | undefined {
    return this.#first;
  }

  /** How many were acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** The last event up to which everything is acknowledged. */
  get lastAcked(): EventId | null {
    return typeof this.#last === 'string' || this.#last === null ? this.#last : this.#last.id;
  }

  *[Symbol.iterator](): Generator<Delivery> {
    for (let entry = this.#first; entry !== undefined; entry = entry.next) yield entry;
  }

  /** `event` comes behind all added before. */
  add(event: StoredEvent, count: number): Delivery {
    const previous = this.#end;
    const entry = { event, count, retry: undefined, previous, next: undefined, ackedBehind: undefined };
    if (previous === undefined) this.#first = entry;
    else previous.next = entry;
    this.#end = entry;
    this.#size++;
    return entry;
  }

  acknowledge(entry: Delivery): void {
    const { previous, next } = entry;
    const upTo = entry.ackedBehind ?? entry.event;
    if (previous === undefined) {
      this.#first = next;
      this.#last = upTo;
    } else {
      previous.next = next;
      previous.ackedBehind = upTo;
    }
    if (next === undefined) this.#end = previous;
    else next.previous = previous;
    this.#size--;
    this.#acked++;
  }
}
