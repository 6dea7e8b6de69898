import type { Feed, LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';

/** Where a subscription's new events are taken from, as long as this process is the one to deliver them. */
export class Front {
  #feed: Feed | undefined;
  /** The last event taken, or passed by. */
  #high: Seq;
  #paused = false;

  /** Everything up to `high` was taken, here or by another process. */
  constructor(high: Seq) {
    this.#high = high;
  }

  /** Whether this process is the one. */
  get isHere(): boolean {
    return this.#feed !== undefined;
  }

  /** Whether there may be something to take. */
  get isOpen(): boolean {
    return this.#feed !== undefined && !this.#paused;
  }

  /** Where the next event is; at least. */
  get next(): Seq {
    return this.#feed?.next ?? this.#high + 1;
  }

  get high(): Seq {
    return this.#high;
  }

  /** How many matching events are not taken yet, where `taken` of all were. */
  behind(taken: number): number {
    return this.#feed?.behind(taken) ?? 0;
  }

  take(): LogEvent | undefined {
    const event = this.#paused ? undefined : this.#feed?.take();
    if (event !== undefined) this.#high = event.seq;
    return event;
  }

  /** Looks for events behind the last one seen, also ones nobody was woken for. */
  lookAgain(): void {
    this.#feed?.lookAgain();
  }

  open(feed: Feed, high: Seq): void {
    this.#feed = feed;
    this.#high = high;
    this.#paused = false;
  }

  /** Nothing can be taken until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** Another process is the one from now on. */
  leave(): void {
    this.stop();
    this.#feed = undefined;
  }

  /** Nothing is told of new events any more. */
  stop(): void {
    this.#feed?.close();
  }
}
