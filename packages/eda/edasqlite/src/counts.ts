import type { Selector } from '@samovar/edacore';

/** What there is to know of a stream. */
interface Counted {
  readonly name: string;
  readonly events: number;
}

/** Streams looked at together, and how often that is done before others get a turn. */
const pageSize = 1000;
const pages = 5;

/** How many events there are in the streams that patterns match. */
export class Counts {
  readonly #range: (after: string, prefix: string, limit: number) => readonly Counted[];
  /** Those that are being counted. */
  readonly #counting = new Map<string, Promise<number>>();

  /** `range` gives streams by name. */
  constructor(range: (after: string, prefix: string, limit: number) => readonly Counted[]) {
    this.#range = range;
  }

  /** Counts them at once if they are few; else in turns with others, once for all who ask meanwhile. */
  of(selector: Selector): number | Promise<number> {
    const counting = this.#counting.get(selector.text);
    if (counting !== undefined) return counting;
    const begun = this.#some(selector, '');
    if (begun.after === undefined) return begun.events;
    const count = this.#rest(selector, begun.after, begun.events).finally(() => this.#counting.delete(selector.text));
    this.#counting.set(selector.text, count);
    return count;
  }

  async #rest(selector: Selector, from: string, counted: number): Promise<number> {
    let [after, count]: [string | undefined, number] = [from, counted];
    while (after !== undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      const some = this.#some(selector, after);
      count += some.events;
      after = some.after;
    }
    return count;
  }

  /** Answers with the name to go on after; undefined at the end. */
  #some(selector: Selector, from: string): { readonly events: number; readonly after: string | undefined } {
    let [after, events] = [from, 0];
    for (let page = 0; page < pages; page++) {
      const found = this.#range(after, selector.prefix, pageSize);
      for (const stream of found) if (selector.matches(stream.name)) events += stream.events;
      if (found.length < pageSize) return { events, after: undefined };
      after = found.at(-1)?.name ?? after;
    }
    return { events, after };
  }
}
