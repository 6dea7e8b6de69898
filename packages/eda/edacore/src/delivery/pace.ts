/** How much the last event counts for in the averages. */
const weight = 0.05;
/** Milliseconds until another process takes note that it is its turn to deliver what is new, at most. */
const passing = 40;

/** How fast handlers get through events, and so how many a process has to have when it passes on what is new. */
export class Pace {
  /** The most that it may have. */
  readonly #most: number;
  /** Milliseconds that a handler takes, and how many run side by side when many do. */
  #time: number | undefined;
  #inFlight = 1;

  constructor(most: number) {
    this.#most = most;
  }

  /** A handler has taken `time` milliseconds, with `inFlight` at the same time. */
  settled(time: number, inFlight: number): void {
    this.#time = this.#time === undefined ? time : this.#time + (time - this.#time) * weight;
    this.#inFlight = Math.max(inFlight, this.#inFlight * (1 - weight));
  }

  /** Whether handlers are through with all that a process may have before it is its turn again, of two: it is faster alone. */
  get isTooFast(): boolean {
    return this.#in(passing * 2) > this.#most;
  }

  /** How many events keep handlers busy until it is this process's turn again, of so many; 0 if nobody knows. */
  enough(processes: number): number {
    return Math.min(this.#in(passing * processes), this.#most);
  }

  #in(time: number): number {
    return this.#time === undefined ? 0 : Math.floor((time / this.#time) * this.#inFlight);
  }
}
