import { InvalidArgumentError } from '@samovar/eda';
import type { Backend } from '../backend.ts';
import type { Offset, ParkedChange, StoredSubscription } from '../stored.ts';
import { changedOptions, optionsOf, type Terms } from './options.ts';

/** What a lease was taken with. */
export interface Claim {
  /** To go on from. */
  readonly offset: Offset;
  /** The options that replaced stored ones, and those they replaced. */
  readonly changed: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}

/** A durable subscription's place in the log: its stored offset, and who may store it. */
export class Lease {
  readonly #backend: Backend;
  readonly #terms: Terms;
  readonly #owner: string;
  #epoch: number | undefined;
  #validUntil = 0;
  /** The last sign of life of another owner, and when it was seen, as `performance.now()` tells it. */
  #seen = { epoch: 0, beat: 0, at: 0 };

  /** `owner` names this process. */
  constructor(backend: Backend, terms: Terms, owner: string) {
    this.#backend = backend;
    this.#terms = terms;
    this.#owner = owner;
  }

  /** Whether nobody else can have taken over yet, even if this process was paused. */
  get isValid(): boolean {
    return performance.now() < this.#validUntil;
  }

  /** Whether the lease is stored as this process's. */
  isHeld(): boolean {
    return this.#backend.subscriptions.peek(this.#terms.name)?.epoch === this.#epoch;
  }

  /**
   * Takes the lease, unless another process has it; with `reset`, also then; the options are stored with it. The offset
   * is `fresh()` if none is stored, or with `reset`. Answers with undefined if another process has the lease.
   *
   * @throws {InvalidArgumentError} if the name is stored with another selector.
   */
  async claim(fresh: () => Promise<Offset>, reset: boolean): Promise<Claim | undefined> {
    const { subscriptions } = this.#backend;
    const { name, selector } = this.#terms;
    const known = subscriptions.peek(name);
    if (!reset && this.#isHeld(known)) return undefined;
    const start = reset || known === undefined ? await fresh() : undefined;
    const began = performance.now();
    let before: StoredSubscription | undefined;
    const claimed = await subscriptions.change(name, (stored, newEpoch) => {
      if (!reset && this.#isHeld(stored)) return undefined;
      before = stored;
      const isNew = reset || stored === undefined;
      const offset = isNew ? start : stored.offset;
      if (offset === undefined) return undefined;
      const kept = { selector: selector.text, options: optionsOf(this.#terms), offset };
      const renewed = { ...kept, epoch: newEpoch(), beat: 1, ...this.#alive() };
      return isNew ? { ...renewed, parked: 'none' } : renewed;
    });
    if (claimed === undefined) return undefined;
    this.#epoch = claimed.epoch;
    this.#validUntil = began + this.#backend.leaseMs;
    const changes = before === undefined ? [] : changedOptions(before.options, this.#terms);
    const changed = Object.fromEntries(changes.map(({ option, from, to }) => [option, { from, to }]));
    return { offset: claimed.offset, changed };
  }

  /** Stores the offset with what is parked, and extends the lease, or gives it back. Whether this process still had it. */
  async store(offset: Offset, parked: ParkedChange, release: boolean): Promise<boolean> {
    const began = performance.now();
    const stored = await this.#backend.subscriptions.change(this.#terms.name, (stored) => {
      if (stored === undefined || stored.epoch !== this.#epoch) return undefined;
      return {
        ...stored,
        offset,
        parked,
        beat: stored.beat + 1,
        ...(release ? { owner: '', expires: 0 } : this.#alive()),
      };
    });
    this.#validUntil = stored === undefined || release ? 0 : began + this.#backend.leaseMs;
    return stored !== undefined;
  }

  #alive(): { readonly owner: string; readonly expires: number } {
    return { owner: this.#owner, expires: Date.now() + this.#backend.leaseMs };
  }

  #isHeld(stored: StoredSubscription | undefined): boolean {
    if (stored === undefined) return false;
    const { name, selector } = this.#terms;
    if (stored.selector !== selector.text) {
      const mend = 'choose another name, or reset it';
      throw new InvalidArgumentError('selector', `is ${stored.selector} in the stored subscription ${name}: ${mend}`);
    }
    if (stored.owner === '' || stored.owner === this.#owner || stored.expires <= Date.now()) return false;
    return !this.#isSilent(stored);
  }

  /** Whether its owner gave no sign of life for as long as the lease, whatever the wall clock says. */
  #isSilent({ epoch, beat }: StoredSubscription): boolean {
    const now = performance.now();
    if (epoch !== this.#seen.epoch || beat !== this.#seen.beat) this.#seen = { epoch, beat, at: now };
    return now - this.#seen.at >= this.#backend.leaseMs;
  }
}
