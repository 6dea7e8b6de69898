import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Offset, Pending, Sign, StoredSubscription } from '../stored.ts';
import { defaultOptions } from './options.ts';
import { housekept, joined, kept, left, partsOf, passedOn, wholeOffset } from './shares.ts';

const nothing: Offset = { high: 0, pending: [], acked: 0, last: null };
const signOf = (owner: string, epoch: number, beat = 1): Sign => ({ owner, epoch, beat, expires: 1 });
const nobody = () => false;

/** Stored by process `a`, at the front with `pending`. */
function storedBy(owner: string, pending: readonly Pending[] = [], high = 0): StoredSubscription {
  const offset = { ...nothing, high, pending };
  return { selector: 's', options: defaultOptions, ...signOf(owner, 1), offset, shares: [] };
}

/** Who has what, the one at the front first. */
const sharesOf = (stored: StoredSubscription) =>
  partsOf(stored).map(({ owner, pending }) => [owner, pending.map(([seq]) => seq)]);

describe('the parts of a subscription', () => {
  const two = joined(storedBy('a', [[1, 1]], 2), signOf('b', 2), nobody);

  it('are one more when a process joins', () => {
    expect(sharesOf(two)).toEqual([
      ['a', [1]],
      ['b', []],
    ]);
  });

  it('change places when the one at the front passes on, and only if another wants to', () => {
    const passed = passedOn(two, nobody);
    expect(sharesOf(passed)).toEqual([
      ['b', []],
      ['a', [1]],
    ]);
    expect([passed.epoch, passed.offset.high]).toEqual([2, 2]);
    expect(passedOn(passed, nobody)).toBe(passed);
    expect(passedOn(two, ({ owner }) => owner === 'b')).toBe(two);
  });

  it('go to the front in turn', () => {
    let stored = joined(two, signOf('c', 3), nobody);
    const order: string[] = [];
    for (let n = 0; n < 6; n++) {
      stored = passedOn(stored, nobody);
      order.push(stored.owner);
      for (const { owner, epoch } of stored.shares) {
        stored = kept(stored, signOf(owner, epoch), { offset: nothing, wants: true });
      }
    }
    expect(order).toEqual(['b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('are stored apart from each other, and what is acknowledged is added up', () => {
    const own = { ...nothing, high: 9, pending: [[7, 1]] as Pending[], acked: 3 };
    const stored = kept(kept(two, signOf('b', 2, 2), { offset: own, wants: false }), signOf('a', 1, 2), {
      offset: { ...own, pending: [[1, 2]] },
      wants: false,
    });
    expect(sharesOf(stored)).toEqual([
      ['a', [1]],
      ['b', [7]],
    ]);
    expect(wholeOffset(stored)).toEqual({ high: 9, pending: [[1, 2], [7, 1]], acked: 6, last: null }); // biome-ignore format: a pair
    expect(kept(two, signOf('b', 2, 2), { offset: own, wants: false }).offset.high).toBe(2);
  });

  it('go to the one at the front when their process leaves, or is gone', () => {
    const passed = passedOn(two, nobody);
    const without = left(passed, 1, nobody);
    expect(sharesOf(without)).toEqual([
      ['b', []],
      ['', [1]],
    ]);
    for (const [stored, isGone] of [
      [without, ({ owner }: Sign) => owner === ''],
      [passed, ({ owner }: Sign) => owner === 'a'],
    ] as const) {
      expect(sharesOf(housekept(stored, 2, isGone))).toEqual([['b', [1]]]);
      expect(housekept(stored, 1, isGone)).toBe(stored);
    }
  });

  it('go to another with the front when the process there leaves, or is gone', () => {
    expect(sharesOf(left(two, 1, nobody))).toEqual([
      ['b', []],
      ['', [1]],
    ]);
    expect(sharesOf(housekept(two, 2, ({ owner }) => owner === 'a'))).toEqual([['b', [1]]]);
    expect(sharesOf(left(storedBy('a', [[1, 1]]), 1, nobody))).toEqual([['', [1]]]);
  });

  it('of a process that takes part again go to the one at the front, or back to it', () => {
    const isGone = (sign: Sign) => sign.owner === '' || sign.epoch === 1;
    expect(sharesOf(joined(passedOn(two, nobody), signOf('a', 3), isGone))).toEqual([
      ['b', []],
      ['', [1]],
      ['a', []],
    ]);
    expect(sharesOf(joined(two, signOf('a', 3), isGone))).toEqual([
      ['a', [1]],
      ['b', []],
    ]);
  });
});

/** A process as it works: what it has been handed, and what of that it has acknowledged and not stored. */
interface Process {
  readonly epoch: number;
  readonly held: Set<number>;
  acked: number[];
  high: number;
}

/** Processes that do what they may in any order, die and are paused; what is true at all times is checked after each step. */
class Model {
  #stored: StoredSubscription | undefined;
  #epoch = 0;
  #tip = 0;
  readonly #processes = new Map<number, Process>();
  readonly #dead = new Set<number>();
  readonly #stale: Process[] = [];
  readonly #ackedStored: number[] = [];

  readonly isGone = (sign: Sign): boolean => sign.owner === '' || this.#dead.has(sign.epoch);

  get #list(): Process[] {
    return [...this.#processes.values()];
  }

  join(): void {
    const sign = signOf(`p${++this.#epoch}`, this.#epoch);
    this.#stored =
      this.#stored === undefined
        ? { selector: 's', options: defaultOptions, ...sign, offset: nothing, shares: [] }
        : joined(this.#stored, sign, (other) => other.epoch !== sign.epoch && this.isGone(other));
    const process = { epoch: sign.epoch, held: new Set<number>(), acked: [], high: 0 };
    this.#processes.set(sign.epoch, process);
    this.#learn(process);
  }

  /** The one at the front takes events. */
  take(count: number): void {
    const front = this.#processes.get(this.#stored?.epoch ?? 0);
    if (front === undefined || this.#stored === undefined) return;
    front.high = Math.max(front.high, this.#stored.offset.high);
    for (let n = 0; n < count; n++) {
      front.held.add(++front.high);
      this.#tip = Math.max(this.#tip, front.high);
    }
  }

  acknowledge(which: number, count: number): void {
    const process = this.#list[which % this.#list.length];
    if (process === undefined) return;
    for (const seq of [...process.held].slice(0, count)) {
      process.held.delete(seq);
      process.acked.push(seq);
    }
  }

  store(which: number, wants: boolean, then: 'stay' | 'on' | 'leave'): void {
    const process = this.#list[which % this.#list.length];
    if (process === undefined) return;
    this.#store(process, wants, then);
    if (then === 'leave') this.#processes.delete(process.epoch);
  }

  /** It is killed, or paused for longer than its lease; if so, it tries to store later. */
  lose(which: number): void {
    const process = this.#list[which % this.#list.length];
    if (process === undefined) return;
    this.#dead.add(process.epoch);
    this.#processes.delete(process.epoch);
    this.#stale.push(process);
  }

  wake(): void {
    for (const process of this.#stale) if (process.held.size > 0) this.#store(process, true, 'stay');
  }

  #store(process: Process, wants: boolean, then: 'stay' | 'on' | 'leave'): void {
    const own = this.#stored && partsOf(this.#stored).find(({ epoch }) => epoch === process.epoch);
    if (own === undefined || this.#stored === undefined) return;
    const pending = [...process.held].sort((a, b) => a - b).map((seq): Pending => [seq, 1]);
    const offset = { high: process.high, pending, acked: process.acked.length, last: null };
    const sign = { ...own, beat: own.beat + 1 };
    const isGone = (other: Sign) => other.epoch !== process.epoch && this.isGone(other);
    const { pending: _, wants: __, ...clean } = sign;
    let next = housekept(kept(this.#stored, clean, { offset, wants }), process.epoch, isGone);
    if (then === 'on' && next.epoch === process.epoch) next = passedOn(next, isGone);
    this.#ackedStored.push(...process.acked);
    process.acked = [];
    const mine = partsOf(next).find(({ epoch }) => epoch === process.epoch);
    for (const [seq] of mine?.pending ?? []) process.held.add(seq);
    this.#stored = then === 'leave' ? left(next, process.epoch, isGone) : next;
  }

  #learn(process: Process): void {
    const own = this.#stored && partsOf(this.#stored).find(({ epoch }) => epoch === process.epoch);
    for (const [seq] of own?.pending ?? []) process.held.add(seq);
  }

  check(): void {
    if (this.#stored === undefined) return;
    const { high, pending, acked } = wholeOffset(this.#stored);
    const open = pending.map(([seq]) => seq);
    // Each event up to the front is acknowledged, once, or pending, once.
    expect([...open, ...this.#ackedStored].sort((a, b) => a - b)).toEqual(
      Array.from({ length: high }, (_, n) => n + 1),
    );
    expect(acked).toBe(this.#ackedStored.length);
    // Whoever is alive has what nobody else alive has.
    const held = this.#list.flatMap((process) => [...process.held, ...process.acked]);
    expect(held.length).toBe(new Set(held).size);
    expect(this.#stored.shares.filter(({ owner }) => owner !== '').length).toBeLessThanOrEqual(this.#epoch);
  }

  /** All is handled by those that are left, or one more. */
  finish(): void {
    this.join();
    for (let n = 0; n < 2; n++) {
      for (const [which] of this.#list.entries()) {
        this.store(which, true, 'stay');
        this.acknowledge(which, this.#tip);
        this.store(which, true, 'stay');
      }
    }
    expect(wholeOffset(this.#stored as StoredSubscription).pending).toEqual([]);
    this.check();
  }
}

it('never loses an event, nor gives one to two processes, whoever comes, stores, passes on, leaves, dies or wakes up', () => {
  const which = fc.nat(5);
  const then = fc.constantFrom('stay' as const, 'on' as const, 'leave' as const);
  const step = fc.oneof(
    fc.constant((model: Model) => model.join()),
    fc.nat(4).map((count) => (model: Model) => model.take(count)),
    fc.tuple(which, fc.nat(3)).map((how) => (model: Model) => model.acknowledge(...how)),
    fc.tuple(which, fc.boolean(), then).map((how) => (model: Model) => model.store(...how)),
    which.map((one) => (model: Model) => model.lose(one)),
    fc.constant((model: Model) => model.wake()),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      model.join();
      for (const take of steps) {
        take(model);
        model.check();
      }
      model.finish();
    }),
    { numRuns: 500 },
  );
});
