import type { Context } from '@samovar/context';
import type { Backoff } from './backoff.ts';
import type { Queue } from './queue.ts';

/** Streams that this process has added to and the relay has not looked at; beyond these it looks at all. */
const maxHints = 10_000;

/**
 * Finds the streams that have rows to send: those that this process adds to are told at once, and a look at all of
 * them, in turn by their names, finds the rest, such as those of other processes.
 */
export class Finder {
  readonly #queue: Queue;
  readonly #backoff: Backoff;
  readonly #pollMs: number;
  readonly #hints = new Set<string>();
  /** Where the look at all streams has come to; undefined: none is under way. */
  #after: string | undefined = '';
  #looking = 0;
  #nextLook = 0;

  constructor(queue: Queue, backoff: Backoff, pollMs: number) {
    this.#queue = queue;
    this.#backoff = backoff;
    this.#pollMs = pollMs;
  }

  hint(stream: string): void {
    if (this.#hints.size < maxHints) this.#hints.add(stream);
    else this.lookAgain();
  }

  /** A look at all streams is due. */
  lookAgain(): void {
    this.#nextLook = 0;
  }

  /** Whether it has more to find now. */
  get isBehind(): boolean {
    return this.#hints.size > 0 || this.#after !== undefined || this.untilLook === 0;
  }

  /** Milliseconds until the next look. */
  get untilLook(): number {
    return Math.max(0, this.#nextLook - performance.now());
  }

  /** Up to `limit` streams that may be sent to, none of which `isBusy`. */
  async find(ctx: Context, limit: number, isBusy: (stream: string) => boolean): Promise<string[]> {
    const found = new Set<string>();
    for (const stream of this.#hints) {
      // Half of them, so that streams of other processes, and of before, get their turn.
      if (found.size >= limit / 2) break;
      this.#hints.delete(stream);
      if (!isBusy(stream) && this.#backoff.isDue(stream)) found.add(stream);
    }
    if (this.#after === undefined && this.untilLook === 0) {
      this.#after = '';
      this.#looking = 0;
    }
    if (this.#after !== undefined) await this.#look(ctx, this.#after, Math.max(1, limit - found.size), isBusy, found);
    return [...found];
  }

  /** Another relay sends: there is nothing to do here before the next look. */
  standBy(): void {
    this.#hints.clear();
    this.#endLook();
  }

  async #look(
    ctx: Context,
    after: string,
    limit: number,
    isBusy: (stream: string) => boolean,
    found: Set<string>,
  ): Promise<void> {
    const began = performance.now();
    const page = await this.#queue.streams(ctx, after, limit);
    this.#looking += performance.now() - began;
    for (const { stream, first } of page) {
      if (!isBusy(stream) && this.#backoff.isDue(stream, first)) found.add(stream);
    }
    const last = page.at(-1);
    if (last !== undefined && page.length === limit) this.#after = last.stream;
    else this.#endLook();
  }

  #endLook(): void {
    this.#after = undefined;
    // However many streams are blocked, looking at them takes a small part of the time.
    this.#nextLook = performance.now() + Math.max(this.#pollMs, 10 * this.#looking);
  }
}
