import type { LogEvent } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Backlog } from './backlog.ts';

/** Events that are looked up together. */
const together = 32;

/** What a lookup asks and tells. */
export interface LookupEvents {
  /** The events at these places that still exist. */
  at(seqs: readonly Seq[]): Promise<LogEvent[]>;
  /** There is something to take. */
  onMore(): void;
  onError(error: unknown): void;
}

/** Looks up the first events of backlogs, which are to be tried. */
export class Lookup {
  readonly #on: LookupEvents;
  #ready: Backlog[] = [];
  #found: { readonly backlog: Backlog; readonly event: LogEvent | undefined }[] = [];
  #fetching = false;

  constructor(on: LookupEvents) {
    this.#on = on;
  }

  /** How many are still to be taken, at most. */
  get size(): number {
    return this.#ready.length + together;
  }

  add(backlog: Backlog): void {
    this.#ready.push(backlog);
  }

  /** The next one; without an event where that does not exist any more. If none is at hand, `onMore` follows when one is. */
  take(): { readonly backlog: Backlog; readonly event: LogEvent | undefined } | undefined {
    if (this.#found.length > 0) return this.#found.shift();
    if (this.#ready.length > 0 && !this.#fetching) void this.#fetch();
    return undefined;
  }

  async #fetch(): Promise<void> {
    this.#fetching = true;
    const backlogs = this.#ready.splice(0, together);
    try {
      const events = await this.#on.at(backlogs.map(({ seq }) => seq));
      const bySeq = new Map(events.map((event) => [event.seq, event]));
      for (const backlog of backlogs) this.#found.push({ backlog, event: bySeq.get(backlog.seq) });
      this.#on.onMore();
    } catch (error) {
      this.#ready.unshift(...backlogs);
      this.#on.onError(error);
    } finally {
      this.#fetching = false;
    }
  }
}
