import type { StoredEvent } from '../event.ts';
import type { Seq } from '../ids.ts';
import type { Parking } from './parking.ts';

/** Milliseconds between looks, and how many parked events are looked up each time. */
const look = 100;
const swept = 100;

/** What is told of requests. */
export interface RequestsEvents {
  /** So many events were skipped, and perhaps others are not parked any more. */
  onChanged(skipped: number): void;
  onError(error: unknown): void;
}

/** Has what is requested of parked events carried out, and lets go of those that do not exist any more. */
export class Requests {
  readonly #parking: Parking;
  readonly #at: (seqs: readonly Seq[]) => StoredEvent[];
  readonly #events: RequestsEvents;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(parking: Parking, at: (seqs: readonly Seq[]) => StoredEvent[], events: RequestsEvents) {
    this.#parking = parking;
    this.#at = at;
    this.#events = events;
  }

  /** Looks now. */
  look(): void {
    if (this.#stopped || this.#parking.isEmpty) return;
    const { parked } = this.#parking;
    let skipped = 0;
    try {
      skipped = this.#parking.carryOut();
      this.#parking.sweep(swept);
    } catch (error) {
      this.#events.onError(error);
    }
    if (this.#parking.parked !== parked) this.#events.onChanged(skipped);
  }

  /** Looks again and again while something is parked. */
  keepLooking(): void {
    if (this.#stopped || this.#parking.isEmpty) return;
    this.#timer ??= setInterval(() => {
      this.look();
      if (!this.#parking.isEmpty) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, look);
  }

  /** The first parked event up to `seq` that still exists. */
  firstParked(seq: Seq): StoredEvent | undefined {
    const first = this.#parking.firstParked(seq);
    const [event] = first === undefined ? [] : this.#at([first]);
    if (first === undefined || event !== undefined) return event;
    this.#parking.sweep();
    this.#events.onChanged(0);
    return this.firstParked(seq);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
