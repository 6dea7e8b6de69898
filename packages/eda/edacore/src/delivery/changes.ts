import type { Seq } from '../ids.ts';
import type { ParkedChange, ParkedRow } from '../stored.ts';

/** What is to be stored of what is parked: the last word on each event. */
export class Changes implements ParkedChange {
  readonly parked = new Map<Seq, ParkedRow | null>();
  readonly waiting = new Map<Seq, { readonly key: string; readonly waits: boolean }>();

  get any(): boolean {
    return this.parked.size + this.waiting.size > 0;
  }

  has(seq: Seq): boolean {
    return this.parked.has(seq) || this.waiting.has(seq);
  }

  /** Those made after these are the last word. */
  followedBy({ parked, waiting }: Changes): this {
    for (const [seq, row] of parked) this.parked.set(seq, row);
    for (const [seq, state] of waiting) this.waiting.set(seq, state);
    return this;
  }
}

/** Changes until they are stored. */
export class Unstored {
  #changes = new Changes();
  #storing: Changes | undefined;

  /** Those made since the last storing began. */
  get changes(): Changes {
    return this.#changes;
  }

  has(seq: Seq): boolean {
    return this.#changes.has(seq) || (this.#storing?.has(seq) ?? false);
  }

  /** What is to be stored now; `stored`, `failed` or nothing more follows. */
  begin(): Changes {
    this.#storing = this.#changes;
    this.#changes = new Changes();
    return this.#storing;
  }

  /** Answers with what is stored. */
  stored(): Changes {
    const storing = this.#storing ?? new Changes();
    this.#storing = undefined;
    return storing;
  }

  failed(): void {
    this.#changes = this.#storing?.followedBy(this.#changes) ?? this.#changes;
    this.#storing = undefined;
  }
}
