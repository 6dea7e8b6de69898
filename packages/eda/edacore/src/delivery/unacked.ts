import type { EventId } from '@samovar/eda';
import type { LogEvent } from '../backend.ts';
import type { Pending } from '../stored.ts';
import type { Backlog } from './backlog.ts';

/** An event that was handed out, or waits for its turn to be, until it is acknowledged or parked. */
export interface Delivery {
  readonly event: LogEvent;
  /** What orders it; undefined: nothing, or nobody could say. */
  readonly key: string | undefined;
  /** Where it is parked or waiting, as which it goes on until it is acknowledged. */
  readonly backlog: Backlog | undefined;
  /** How often it was handed out. */
  count: number;
  /** How often it was handed out before it was to be replayed. */
  readonly before: number;
  /** The next one of its key. */
  behind: Delivery | undefined;
  previous: Delivery | undefined;
  next: Delivery | undefined;
  /** The last event acknowledged or set aside between this one and `next`. */
  resolvedBehind: LogEvent | undefined;
}

/** An event to hand out that was handed out `count` times before. */
export function newDelivery(event: LogEvent, count: number, key?: string, backlog?: Backlog, before = 0): Delivery {
  return {
    event,
    key,
    backlog,
    count,
    before,
    behind: undefined,
    previous: undefined,
    next: undefined,
    resolvedBehind: undefined,
  };
}

/** The delivery as it is stored. */
export function pendingOf({ event, count, before }: Delivery): Pending {
  return before === 0 ? [event.seq, count] : [event.seq, count, before];
}

/**
 * What is handed out and neither acknowledged nor set aside, in log order; adding at the end and removing anywhere are
 * immediate.
 */
export class Unacked {
  #first: Delivery | undefined;
  #end: Delivery | undefined;
  #size = 0;
  #acked: number;
  #last: EventId | LogEvent | null;

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

  /** The one that was added last of those that are left. */
  get last(): Delivery | undefined {
    return this.#end;
  }

  /** How many were acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** The last event up to which everything is acknowledged or set aside. */
  get lastResolved(): EventId | null {
    return typeof this.#last === 'string' || this.#last === null ? this.#last : this.#last.id;
  }

  *[Symbol.iterator](): Generator<Delivery> {
    for (let entry = this.#first; entry !== undefined; entry = entry.next) yield entry;
  }

  /** The delivery's event comes behind all added before. */
  add(entry: Delivery): Delivery {
    const previous = this.#end;
    entry.previous = previous;
    if (previous === undefined) this.#first = entry;
    else previous.next = entry;
    this.#end = entry;
    this.#size++;
    return entry;
  }

  acknowledge(entry: Delivery): void {
    this.setAside(entry);
    this.#acked++;
  }

  /** So many that are not here were acknowledged. */
  acknowledgeOthers(count: number): void {
    this.#acked += count;
  }

  /** Something else takes care of the event from now on. */
  setAside(entry: Delivery): void {
    const { previous, next } = entry;
    const upTo = entry.resolvedBehind ?? entry.event;
    if (previous === undefined) {
      this.#first = next;
      this.#last = upTo;
    } else {
      previous.next = next;
      previous.resolvedBehind = upTo;
    }
    if (next === undefined) this.#end = previous;
    else next.previous = previous;
    this.#size--;
  }

  /** The same for an event behind all added before that was never here. */
  pass(event: LogEvent): void {
    if (this.#end === undefined) this.#last = event;
    else this.#end.resolvedBehind = event;
  }
}
