import type { EventId } from '@samovar/eda';
import type { Backend } from '../backend.ts';
import { decodeId, type Seq } from '../ids.ts';
import type { Selector } from '../selector.ts';

/** The last event up to which everything is acknowledged, where some are parked. */
export class LastAcked {
  readonly #backend: Backend;
  readonly #selector: Selector;
  readonly #last: EventId | null;
  readonly #first: Seq;
  #before: { readonly first: Seq; readonly id: EventId | null } | undefined;

  /** It was `last` when `first` was the first event that was not acknowledged. */
  constructor(backend: Backend, selector: Selector, last: EventId | null, first: Seq) {
    this.#backend = backend;
    this.#selector = selector;
    this.#last = last;
    this.#first = first;
  }

  /** Where everything up to `resolved` is acknowledged, parked or waits, and `parked` is the first that is not the first. */
  of(resolved: EventId | null, parked: Seq | undefined): EventId | null {
    if (parked === undefined || resolved === null || decodeId(resolved).seq < parked) return resolved;
    if (this.#before?.first !== parked) this.#before = { first: parked, id: this.upTo(parked - 1) };
    return this.#before.id;
  }

  /** The last matching event up to `seq`, if it is of those that came since; as far as can be seen at once. */
  upTo(seq: Seq): EventId | null {
    const request = { from: seq + 1, to: Number.MAX_SAFE_INTEGER, limit: 1, backwards: true };
    const [event] = this.#backend.page(this.#selector, request).events;
    return event === undefined || event.seq < this.#first ? this.#last : event.id;
  }
}
