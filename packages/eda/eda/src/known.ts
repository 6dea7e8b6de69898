const kept = 10_000;

/** Remembers which of the texts that come again and again have passed a check. */
export class Known {
  readonly #check: (text: string) => unknown;
  readonly #passed = new Set<string>();

  /** `check` throws if a text does not pass. */
  constructor(check: (text: string) => unknown) {
    this.#check = check;
  }

  check(text: string): void {
    if (this.#passed.has(text)) return;
    this.#check(text);
    if (this.#passed.size >= kept) this.#passed.clear();
    this.#passed.add(text);
  }
}
