import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../backend.ts';
import type { Offset, StoredSubscription, Subscriptions } from '../stored.ts';
import { Changes } from './backlog.ts';
import { Lease } from './lease.ts';
import { MemoryParked } from './memoryparked.ts';
import { checkTerms } from './options.ts';

const leaseMs = 4000;
const nothing = new Changes();
const begin: Offset = { high: 0, pending: [], acked: 0, last: null };
const start = () => Promise.resolve(begin);
const further: Offset = { high: 5, pending: [[3, 1]], acked: 4, last: null };

/** One stored subscription, as two processes see it. */
class Table implements Subscriptions {
  stored: StoredSubscription | undefined;
  #epoch = 0;

  ready(): Promise<void> {
    return Promise.resolve();
  }

  all(): [name: string, stored: StoredSubscription][] {
    return this.stored === undefined ? [] : [['n', this.stored]];
  }

  peek(): StoredSubscription | undefined {
    return this.stored;
  }

  change(_: string, change: Parameters<Subscriptions['change']>[1]): Promise<StoredSubscription | undefined> {
    const changed = change(this.stored, () => ++this.#epoch);
    this.stored = changed ?? this.stored;
    return Promise.resolve(changed);
  }

  drop(): Promise<void> {
    this.stored = undefined;
    return Promise.resolve();
  }

  parked(): MemoryParked {
    return new MemoryParked();
  }

  request(): Promise<number[]> {
    return Promise.resolve([]);
  }
}

let table: Table;
let a: Lease;
let b: Lease;

beforeEach(() => {
  vi.useFakeTimers();
  table = new Table();
  const backend = { leaseMs, subscriptions: table } as Partial<Backend> as Backend;
  [a, b] = ['a', 'b'].map((owner) => new Lease(backend, checkTerms('s', { durable: true }), owner)) as [Lease, Lease];
});
afterEach(() => vi.useRealTimers());

describe('a lease', () => {
  it('belongs to one, until that one gives it back', async () => {
    expect((await a.claim(start, false))?.offset).toBe(begin);
    expect(await b.claim(start, false)).toBeUndefined();
    expect(await a.store(further, nothing, true)).toBe(true);
    expect((await b.claim(start, false))?.offset).toBe(further);
    expect([a.isHeld(), b.isHeld()]).toEqual([false, true]);
    expect(await a.store(begin, nothing, false)).toBe(false);
    expect(table.stored?.offset).toBe(further);
  });

  it('is free when it has run out, and the late owner can store nothing', async () => {
    await a.claim(start, false);
    vi.advanceTimersByTime(leaseMs - 1);
    expect(a.isValid).toBe(true);
    expect(await b.claim(start, false)).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(a.isValid).toBe(false);
    expect((await b.claim(start, false))?.offset).toBe(begin);
    expect(await a.store(further, nothing, false)).toBe(false);
    expect(table.stored?.offset).toBe(begin);
  });

  it('is extended by storing', async () => {
    await a.claim(start, false);
    for (let n = 0; n < 5; n++) {
      vi.advanceTimersByTime(leaseMs / 2);
      expect(await a.store(further, nothing, false)).toBe(true);
      expect(await b.claim(start, false)).toBeUndefined();
    }
    expect(a.isValid).toBe(true);
  });

  it('is taken over from the dead, and only from them, when the clock was set back', async () => {
    await a.claim(start, false);
    vi.setSystemTime(Date.now() - 3_600_000);
    for (let n = 0; n < 8; n++) {
      await a.store(further, nothing, false);
      expect(await b.claim(start, false)).toBeUndefined();
      vi.advanceTimersByTime(leaseMs / 2);
    }
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(await b.claim(start, false)).toBeUndefined();
    vi.advanceTimersByTime(leaseMs);
    expect((await b.claim(start, false))?.offset).toBe(further);
  });

  it('goes to whoever resets, from its start', async () => {
    await a.claim(start, false);
    await a.store(further, nothing, false);
    expect((await b.claim(start, true))?.offset).toBe(begin);
    expect([a.isHeld(), await a.store(further, nothing, true)]).toEqual([false, false]);
  });

  it('is not stored again when it was dropped', async () => {
    await a.claim(start, false);
    await table.drop();
    expect([a.isHeld(), await a.store(further, nothing, false), table.stored]).toEqual([false, false, undefined]);
  });
});
