import type { Outcome, Tail } from '@samovar/activity';

/** How far an activity has come since it was claimed, and how often it has failed to come further. */
export class Progress {
  /** Failures in a row. */
  attempts = 0;
  lastError: Error | undefined;
  /** Ends of the stream in a row, without progress. */
  idle = 0;
  /** What goes back over it is no progress. */
  #furthest: Tail;

  constructor(tail: Tail = null) {
    this.#furthest = tail;
  }

  note(outcome: Outcome): void {
    const { kind, tail } = outcome;
    const hasProgressed = tail !== null && (this.#furthest === null || tail > this.#furthest);
    if (hasProgressed) this.#furthest = tail;
    if (hasProgressed || kind === 'endOfStream') {
      this.attempts = 0;
      this.lastError = undefined;
    }
    if (kind === 'endOfStream') this.idle = hasProgressed ? 0 : this.idle + 1;
    else if (kind === 'retry') this.fail(outcome.error);
    else this.attempts++;
  }

  fail(error: Error): void {
    this.attempts++;
    this.lastError = error;
  }
}
