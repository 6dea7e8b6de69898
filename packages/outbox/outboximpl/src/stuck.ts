import type { Logger } from '@samovar/server';
import type { Backoff } from './backoff.ts';
import type { Finder } from './finder.ts';
import type { QueuedRow } from './sending.ts';
import type { Report } from './tenure.ts';

/** Keeps who is stuck and who flows, and says so in the log when that changes: a line for all at once. */
export class Stuck implements Report {
  readonly #backoff: Backoff;
  readonly #finder: Finder;
  readonly #logger: Logger;
  #stuck: { readonly row: QueuedRow; readonly error: unknown }[] = [];
  #flowing: string[] = [];

  constructor(backoff: Backoff, finder: Finder, logger: Logger) {
    this.#backoff = backoff;
    this.#finder = finder;
    this.#logger = logger;
  }

  failed(stream: string, row: QueuedRow, error: unknown): void {
    if (this.#backoff.fail(stream, row.seq)) this.#stuck.push({ row, error });
  }

  sent(stream: string): void {
    if (this.#backoff.clear(stream)) this.#flowing.push(stream);
    // There may be more of it.
    this.#finder.hint(stream);
  }

  /** Of a stream that is stuck, only the first of `rows`: the others have to wait for it. */
  triable(rows: readonly QueuedRow[]): readonly QueuedRow[] {
    const tried = new Set<string>();
    return rows.filter(({ stream }) => {
      if (!this.#backoff.isBlocked(stream)) return true;
      if (tried.has(stream)) return false;
      tried.add(stream);
      return true;
    });
  }

  /** Says what has changed since the last time. */
  log(): void {
    const [stuck] = this.#stuck;
    if (stuck !== undefined) {
      const { row, error } = stuck;
      const fields = { streams: this.#stuck.length, stream: row.stream, row: row.id, err: error };
      this.#logger.warn('events cannot be sent to their streams; they are tried again', fields);
    }
    const [stream] = this.#flowing;
    if (stream !== undefined) {
      this.#logger.info('events are sent to their streams again', { streams: this.#flowing.length, stream });
    }
    this.#stuck = [];
    this.#flowing = [];
  }
}
