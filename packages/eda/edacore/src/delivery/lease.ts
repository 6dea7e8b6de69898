import { InvalidArgumentError } from '@samovar/eda';
import type { Backend } from '../backend.ts';
import type { Seq } from '../ids.ts';
import type { Changed, Offset, ParkedChange, Pending, Share, Sign, StoredSubscription } from '../stored.ts';
import { changedOptions, isOrdered, optionsOf, type Terms } from './options.ts';
import { housekept, joined, kept, left, partsOf, passedOn, wholeOffset } from './shares.ts';
import { Signs } from './signs.ts';

/** What a lease was taken with. */
export interface Claim {
  /** To go on from; of a process that is not at the front, the pending events alone count. */
  readonly offset: Offset;
  /** The options that replaced stored ones, and those they replaced. */
  readonly changed: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}

/** What else a process does when it stores its part. */
export interface Storing {
  /** Whether it has room for more. */
  readonly wants?: boolean;
  /** pass: it lets another one go to the front that wants to. leave: it gives its lease back. */
  readonly move?: 'pass' | 'leave' | undefined;
}

/** What came of storing. */
export interface Kept {
  /** What this process has taken over from others. */
  readonly taken: readonly Pending[];
  /** How many events others have acknowledged since it stored before. */
  readonly ackedElsewhere: number;
}

/** A process's part in a durable subscription, as long as it gives signs of life: what it may store, and what others do. */
export class Lease {
  readonly #backend: Backend;
  readonly #terms: Terms;
  readonly #owner: string;
  readonly #signs: Signs;
  #validUntil = 0;
  /** As this process knows it, its own part as it stored that last. */
  #stored: StoredSubscription | undefined;
  #sign: Sign;
  /** How many events were acknowledged by all, when this process last stored. */
  #acked = 0;

  /** `owner` names this process. */
  constructor(backend: Backend, terms: Terms, owner: string) {
    this.#backend = backend;
    this.#terms = terms;
    this.#owner = owner;
    this.#signs = new Signs(owner, backend.leaseMs);
    this.#sign = { owner, epoch: 0, beat: 0, expires: 0 };
  }

  /** Whether nobody else can have taken over yet, even if this process was paused. */
  get isValid(): boolean {
    return performance.now() < this.#validUntil;
  }

  /** Where to deliver from on; undefined: another process does. */
  get front(): Seq | undefined {
    return this.#stored?.epoch === this.#sign.epoch ? this.#stored.offset.high : undefined;
  }

  /** Whether no other process has a part. */
  get isAlone(): boolean {
    return this.front !== undefined && this.processes === 1;
  }

  /** How many processes have a part. */
  get processes(): number {
    return 1 + (this.#stored?.shares.length ?? 0);
  }

  /** The first event that another process was handed and has not acknowledged. */
  get firstElsewhere(): Seq | undefined {
    if (this.#stored === undefined || this.isAlone) return undefined;
    const others = partsOf(this.#stored).filter((part) => !this.#isOwn(part));
    const firsts = others.flatMap(({ pending }) => pending[0]?.[0] ?? []);
    return firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  /** Whether another process has room for more. */
  get isWanted(): boolean {
    return this.#stored?.shares.some((share) => share.wants && !this.#isGone(share)) ?? false;
  }

  /** Whether there is something to take over, which the next storing does. */
  get isDue(): boolean {
    if (this.#stored === undefined) return false;
    return housekept(this.#stored, this.#sign.epoch, (sign) => this.#isGone(sign)) !== this.#stored;
  }

  /** Takes in what is stored now. Whether this process still has its part. */
  look(): boolean {
    const stored = this.#backend.subscriptions.peek(this.#terms.name);
    const own = stored && partsOf(stored).find((part) => this.#isOwn(part));
    // What was stored before this process stored last is not news.
    if (own?.beat === this.#sign.beat) this.#see(stored);
    return own !== undefined;
  }

  /**
   * Takes part; where events are to stay in order, only if no other process does; with `reset`, alone in any case. The
   * options are stored with it. The offset is `fresh()` if none is stored, or with `reset`. Answers with undefined if
   * another process has the lease.
   *
   * @throws {InvalidArgumentError} if the name is stored with another selector.
   */
  async claim(fresh: () => Promise<Offset>, reset: boolean): Promise<Claim | undefined> {
    const { subscriptions } = this.#backend;
    const { name } = this.#terms;
    const known = subscriptions.peek(name);
    if (!reset && this.#isTaken(known)) return undefined;
    const start = reset || known === undefined ? await fresh() : undefined;
    const began = performance.now();
    let before: StoredSubscription | undefined;
    const claimed = await subscriptions.change(name, (stored, newEpoch) => {
      if (!reset && this.#isTaken(stored)) return undefined;
      before = stored;
      const sign = { owner: this.#owner, epoch: newEpoch(), beat: 1, expires: this.#expires };
      if (!reset && stored !== undefined) return this.#joined(stored, sign);
      return start && { ...this.#kept, offset: start, ...sign, shares: [], parked: 'none' };
    });
    if (claimed === undefined) return undefined;
    const own = partsOf(claimed).findLast(({ owner }) => owner === this.#owner) as Share;
    this.#sign = own;
    this.#acked = claimed.offset.acked;
    this.#validUntil = began + this.#backend.leaseMs;
    this.#see(claimed);
    const changes = before === undefined ? [] : changedOptions(before.options, this.#terms);
    const changed = Object.fromEntries(changes.map(({ option, from, to }) => [option, { from, to }]));
    return { offset: { ...claimed.offset, pending: own.pending }, changed };
  }

  /**
   * Stores the offset with what is parked, takes over from those that are gone, and extends the lease. Answers with
   * undefined if this process did not have it any more.
   */
  async store(offset: Offset, parked: ParkedChange, { wants = false, move }: Storing): Promise<Kept | undefined> {
    const began = performance.now();
    const { beat } = this.#sign;
    const sign = { ...this.#sign, beat: beat + 1, expires: this.#expires };
    const acked = offset.acked - this.#acked;
    let taken: readonly Pending[] = [];
    let result: StoredSubscription | undefined;
    const isGone = (other: Sign) => this.#isGone(other);
    // Without it the same is handled again. What was parked, or left to others, is to stay so.
    const isLazy = move === undefined && parked.parked.size + parked.waiting.size === 0;
    const change = (found: StoredSubscription | undefined): Changed | undefined => {
      const own = found && partsOf(found).find((part) => this.#isOwn(part));
      // Stored by an earlier run of this very change, whose answer got lost.
      if (own?.beat === sign.beat && result !== undefined) return { ...found, parked } as Changed;
      // Neither taken over, nor stored by a change that was said to have failed.
      if (found === undefined || own?.beat !== beat) return undefined;
      const mine = kept(found, sign, { offset: { ...offset, acked }, wants });
      const next = housekept(mine, sign.epoch, isGone);
      taken = next === mine ? [] : this.#without(next, new Set(offset.pending));
      result = next;
      if (move === 'pass') result = next.epoch === sign.epoch ? passedOn(next, isGone) : next;
      if (move === 'leave') result = left(next, sign.epoch, isGone);
      return { ...result, parked };
    };
    const stored = await this.#backend.subscriptions.change(this.#terms.name, change, { isLazy });
    this.#validUntil = stored === undefined || move === 'leave' ? 0 : began + this.#backend.leaseMs;
    if (stored === undefined) return undefined;
    this.#sign = sign;
    this.#see(stored);
    const ackedElsewhere = stored.offset.acked - offset.acked;
    this.#acked = stored.offset.acked;
    return { taken, ackedElsewhere };
  }

  get #expires(): number {
    return Date.now() + this.#backend.leaseMs;
  }

  /** What stays the same as long as the lease is held. */
  get #kept(): Pick<StoredSubscription, 'selector' | 'options'> {
    return { selector: this.#terms.selector.text, options: optionsOf(this.#terms) };
  }

  #joined(stored: StoredSubscription, sign: Sign): StoredSubscription {
    this.#signs.see(partsOf(stored));
    const known = { ...stored, ...this.#kept };
    if (isOrdered(this.#terms)) return { ...known, ...sign, offset: wholeOffset(stored), shares: [] };
    return joined(known, sign, (other) => other.epoch !== sign.epoch && this.#signs.isGone(other));
  }

  #isOwn({ epoch }: Sign): boolean {
    return epoch === this.#sign.epoch;
  }

  #isGone(sign: Sign): boolean {
    return !this.#isOwn(sign) && this.#signs.isGone(sign);
  }

  /** What is pending in its own part, except for `known`. */
  #without(stored: StoredSubscription, known: ReadonlySet<Pending>): Pending[] {
    const own = partsOf(stored).find((part) => this.#isOwn(part));
    return own?.pending.filter((pending) => !known.has(pending)) ?? [];
  }

  #see(stored: StoredSubscription | undefined): void {
    this.#stored = stored;
    if (stored !== undefined) this.#signs.see(partsOf(stored));
  }

  /** Whether this process has to wait until others are gone. */
  #isTaken(stored: StoredSubscription | undefined): boolean {
    if (stored === undefined) return false;
    const { name, selector } = this.#terms;
    if (stored.selector !== selector.text) {
      const mend = 'choose another name, or reset it';
      throw new InvalidArgumentError('selector', `is ${stored.selector} in the stored subscription ${name}: ${mend}`);
    }
    const parts = partsOf(stored);
    this.#signs.see(parts);
    if (parts.every((part) => this.#signs.isGone(part))) return false;
    return isOrdered(this.#terms) || !isSharing(stored);
  }
}

/** Whether those that have it open share its events. */
function isSharing({ options }: StoredSubscription): boolean {
  return options.serial === false && options.keyBy === null;
}
