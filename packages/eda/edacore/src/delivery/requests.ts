import type { LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Parking } from './parking.ts';

/** Milliseconds between looks at what is requested. */
const look = 100;
/** Milliseconds between looks at whether parked events still exist, and at how many of them each time. */
const sweepPause = 500;
const swept = 100;

/** What is asked and told of requests. */
export interface RequestsEvents {
  /** The events at these places that still exist. */
  at(seqs: readonly Seq[]): Promise<LogEvent[]>;
  /** Whether this process is the one to carry them out. */
  isMine(): boolean;
  /** So many events were skipped, and perhaps others are not parked any more. */
  onChanged(skipped: number): void;
  onError(error: unknown): void;
}

/** Has what is requested of parked events carried out, and lets go of those that do not exist any more. */
export class Requests {
  readonly #parking: Parking;
  readonly #events: RequestsEvents;
  #timer: NodeJS.Timeout | undefined;
  #isSweeping = false;
  /** When that was looked at last. */
  #swept = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parking: Parking, events: RequestsEvents) {
    this.#parking = parking;
    this.#events = events;
  }

  /** Looks now at what is requested, and soon at what does not exist any more. */
  look(): void {
    if (this.#stopped || this.#parking.isEmpty || !this.#events.isMine()) return;
    try {
      const { events, skipped } = this.#parking.carryOut();
      if (events > 0) this.#events.onChanged(skipped);
    } catch (error) {
      this.#events.onError(error);
    }
    if (!this.#isSweeping && performance.now() - this.#swept >= sweepPause)
      void this.#sweep(this.#parking.someParked(swept));
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
  async firstParked(seq: Seq): Promise<LogEvent | undefined> {
    for (;;) {
      const first = this.#parking.firstParked(seq);
      if (first === undefined) return undefined;
      const [event] = await this.#events.at([first]);
      if (event !== undefined) return event;
      await this.#sweep([first]);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Lets go of those of these events that do not exist any more. */
  async #sweep(seqs: readonly Seq[]): Promise<void> {
    if (seqs.length === 0) return;
    this.#isSweeping = true;
    try {
      const there = new Set((await this.#events.at(seqs)).map(({ seq }) => seq));
      if (this.#stopped) return;
      if (this.#parking.forget(seqs.filter((seq) => !there.has(seq))) > 0) this.#events.onChanged(0);
    } catch (error) {
      this.#events.onError(error);
    } finally {
      this.#isSweeping = false;
      this.#swept = performance.now();
    }
  }
}
