import type { Selector } from '../selector.ts';

/** Who waits for new events of what. A wake-up says no more than: look again. */
export class Wakes {
  readonly #exact = new Map<string, Set<() => void>>();
  readonly #patterns = new Map<() => void, Selector>();
  readonly #onChange: (waiting: boolean) => void;

  /** `onChange` is told when the first one begins and the last one stops to wait. */
  constructor(onChange: (waiting: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  get waiting(): boolean {
    return this.#exact.size + this.#patterns.size > 0;
  }

  /** Calls `wake` whenever a matching event is new, until the function returned is called. It must only schedule work. */
  add(selector: Selector, wake: () => void): () => void {
    const before = this.waiting;
    if (selector.kind === 'exact') this.#addExact(selector.text, wake);
    else this.#patterns.set(wake, selector);
    if (!before) this.#onChange(true);
    return () => this.#remove(selector, wake);
  }

  /** New events are in these streams. */
  notify(streams: ReadonlySet<string>): void {
    if (!this.waiting) return;
    for (const stream of streams) for (const wake of this.#exact.get(stream) ?? []) wake();
    for (const [wake, selector] of this.#patterns) {
      for (const stream of streams) {
        if (!selector.matches(stream)) continue;
        wake();
        break;
      }
    }
  }

  #addExact(stream: string, wake: () => void): void {
    const wakes = this.#exact.get(stream);
    if (wakes === undefined) this.#exact.set(stream, new Set([wake]));
    else wakes.add(wake);
  }

  #remove(selector: Selector, wake: () => void): void {
    const before = this.waiting;
    if (selector.kind === 'exact') {
      const wakes = this.#exact.get(selector.text);
      if (wakes?.delete(wake) && wakes.size === 0) this.#exact.delete(selector.text);
    } else this.#patterns.delete(wake);
    if (before && !this.waiting) this.#onChange(false);
  }
}
