import type { Seq } from '../ids.ts';
import type { Parked } from '../stored.ts';
import type { Delivery } from './unacked.ts';

/** Waiting events whose places are read in one go. */
const pageSize = 100;

/** A parked event and what waits behind it, one after another, until nothing does any more. */
export class Backlog {
  readonly key: string | null;
  /** The first one, which is parked or being tried. */
  seq: Seq;
  /** parking: parked, which is not stored yet. open: to be tried, or being tried. */
  state: 'parking' | 'parked' | 'open' = 'parking';
  /** Whether the first one was waiting until now, and not parked. */
  waits: boolean;
  /** At the first one, until it was parked. */
  attempts: number;
  /** How often the first one was handed out, also since. */
  count = 0;
  delivery: Delivery | undefined;
  /** What is known of the next ones to be stored. */
  #stored: Seq[] = [];
  /** The last ones; not stored yet, as far as is known. */
  #unstored: Seq[] = [];

  constructor(key: string | null, seq: Seq, waits: boolean, attempts: number) {
    this.key = key;
    this.seq = seq;
    this.waits = waits;
    this.attempts = attempts;
  }

  add(seq: Seq): void {
    this.#unstored.push(seq);
  }

  /** What was added up to `seq` is stored. */
  stored(seq: Seq): void {
    while ((this.#unstored[0] ?? Number.POSITIVE_INFINITY) <= seq) this.#unstored.shift();
  }

  /** The one behind the first. */
  next(store: Parked): Seq | undefined {
    if (this.key === null) return undefined;
    if (this.#stored.length === 0) this.#stored = store.waiting(this.key, this.seq, pageSize);
    const next = this.#stored.shift();
    if (next !== undefined) return next;
    this.stored(this.seq);
    return this.#unstored.shift();
  }
}
