/**
 * The last position of a whole log, as far as this connection can tell: what it was when the server said so last, and
 * what was sent since, which is answered in the order of sending if it is answered at all.
 */
export class Tail {
  #last = 0;
  #sent = 0;
  #answered = 0;

  /** Where the log's last message is to be when what is sent next arrives, unless others write to the log. */
  get expected(): number {
    return this.#last + this.#sent - this.#answered;
  }

  /** Something was sent. Answers with its place in the order of sending. */
  sent(): number {
    return ++this.#sent;
  }

  /** What was sent at `place` is answered; `last` is a position that the log has; 0: none was told. */
  answered(place: number, last: number): void {
    this.#answered = Math.max(this.#answered, place);
    this.#last = Math.max(this.#last, last);
  }

  /** The server may have another log now than it had. */
  forget(): void {
    this.#last = 0;
  }
}
