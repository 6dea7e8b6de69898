import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../backend.ts';
import type { Offset, StoredSubscription, Subscriptions } from '../stored.ts';
import { Changes } from './changes.ts';
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
let backend: Backend;
let a: Lease;
let b: Lease;

beforeEach(() => {
  vi.useFakeTimers();
  table = new Table();
  backend = { leaseMs, subscriptions: table } as Partial<Backend> as Backend;
  [a, b] = ['a', 'b'].map((owner) => new Lease(backend, checkTerms('s', { durable: true, serial: true }), owner)) as [
    Lease,
    Lease,
  ];
});
afterEach(() => vi.useRealTimers());

describe('a lease', () => {
  it('belongs to one, until that one gives it back', async () => {
    expect((await a.claim(start, false))?.offset).toEqual(begin);
    expect(await b.claim(start, false)).toBeUndefined();
    expect(await a.store(further, nothing, { move: 'leave' })).toBeDefined();
    expect((await b.claim(start, false))?.offset).toEqual(further);
    expect([a.look(), b.look()]).toEqual([false, true]);
    expect(await a.store(begin, nothing, {})).toBeUndefined();
    expect(table.stored?.offset).toEqual(further);
  });

  it('is free when it has run out, and the late owner can store nothing', async () => {
    await a.claim(start, false);
    vi.advanceTimersByTime(leaseMs - 1);
    expect(a.isValid).toBe(true);
    expect(await b.claim(start, false)).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(a.isValid).toBe(false);
    expect((await b.claim(start, false))?.offset).toEqual(begin);
    expect(await a.store(further, nothing, {})).toBeUndefined();
    expect(table.stored?.offset).toEqual(begin);
  });

  it('is extended by storing', async () => {
    await a.claim(start, false);
    for (let n = 0; n < 5; n++) {
      vi.advanceTimersByTime(leaseMs / 2);
      expect(await a.store(further, nothing, {})).toBeDefined();
      expect(await b.claim(start, false)).toBeUndefined();
    }
    expect(a.isValid).toBe(true);
  });

  it('is taken over from the dead, and only from them, when the clock was set back', async () => {
    await a.claim(start, false);
    vi.setSystemTime(Date.now() - 3_600_000);
    for (let n = 0; n < 8; n++) {
      await a.store(further, nothing, {});
      expect(await b.claim(start, false)).toBeUndefined();
      vi.advanceTimersByTime(leaseMs / 2);
    }
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(await b.claim(start, false)).toBeUndefined();
    vi.advanceTimersByTime(leaseMs);
    expect((await b.claim(start, false))?.offset).toEqual(further);
  });

  it('goes to whoever resets, from its start', async () => {
    await a.claim(start, false);
    await a.store(further, nothing, {});
    expect((await b.claim(start, true))?.offset).toEqual(begin);
    expect([a.look(), await a.store(further, nothing, { move: 'leave' })]).toEqual([false, undefined]);
  });

  it('is free for the process that had it, which has lost track of it', async () => {
    await a.claim(start, false);
    const again = new Lease(backend, checkTerms('s', { durable: true, serial: true }), 'a');
    expect((await again.claim(start, false))?.offset).toEqual(begin);
    expect([a.look(), again.look()]).toEqual([false, true]);
  });

  it('is not stored again when it was dropped', async () => {
    await a.claim(start, false);
    await table.drop();
    expect([a.look(), await a.store(further, nothing, {}), table.stored]).toEqual([false, undefined, undefined]);
  });
});

describe('leases of processes that share', () => {
  const pending = (...seqs: number[]): Offset => ({ ...begin, pending: seqs.map((seq) => [seq, 1]) });
  const newLease = (owner: string) => new Lease(backend, checkTerms('s', { durable: true }), owner);

  beforeEach(async () => {
    [a, b] = [newLease('a'), newLease('b')];
    await a.claim(start, false);
    await a.store({ ...pending(3), high: 5, acked: 4 }, nothing, {});
    await b.claim(start, false);
  });

  it('leave new events to one of them, which passes that on with the place to go on from', async () => {
    a.look();
    expect([a.front, b.front, a.isWanted, a.isAlone, b.isAlone]).toEqual([5, undefined, true, false, false]);
    const before = table.stored;
    await a.store({ ...pending(3, 6), high: 6, acked: 4 }, nothing, { move: 'pass' });
    b.look();
    expect([a.front, b.front, a.firstElsewhere, b.firstElsewhere]).toEqual([undefined, 6, undefined, 3]);
    const { peek } = table;
    table.peek = () => before;
    expect([a.look(), a.front]).toEqual([true, undefined]);
    table.peek = peek;
    await a.store(pending(3), nothing, { wants: true });
    await b.store({ ...pending(), high: 9, acked: 7 }, nothing, {});
    expect(table.stored).toMatchObject({ owner: 'b', offset: { high: 9, acked: 3, pending: [] } });
    expect(table.stored?.shares).toMatchObject([{ owner: 'a', pending: [[3, 1]], wants: true }]);
  });

  it('count what all have acknowledged, whoever stores first', async () => {
    const kept = await a.store({ ...pending(), high: 5, acked: 5 }, nothing, {});
    expect(kept).toEqual({ taken: [], ackedElsewhere: 0 });
    expect(await b.store({ ...begin, acked: 4 + 2 }, nothing, {})).toEqual({ taken: [], ackedElsewhere: 1 });
    expect(await a.store({ ...pending(), high: 5, acked: 5 }, nothing, {})).toEqual({ taken: [], ackedElsewhere: 2 });
    expect(table.stored?.offset.acked).toBe(7);
  });

  it('take over from the silent, who have no part any more, and may take part again', async () => {
    let own: Offset = begin;
    for (let n = 0; n < 4; n++) {
      vi.advanceTimersByTime(leaseMs / 2);
      b.look();
      const kept = await b.store(own, nothing, {});
      own = { ...begin, pending: [...own.pending, ...(kept?.taken ?? [])] };
    }
    expect(b.front).toBe(5);
    expect([table.stored?.offset.pending, table.stored?.shares]).toEqual([[[3, 1]], []]);
    expect([a.look(), await a.store(pending(3), nothing, {})]).toEqual([false, undefined]);
    expect((await a.claim(start, false))?.offset.pending).toEqual([]);
    expect([a.look(), a.front]).toEqual([true, undefined]);
  });

  it('tell the one who stores what it has taken over, once', async () => {
    await b.store(pending(), nothing, { move: 'leave' });
    const c = newLease('c');
    await c.claim(start, false);
    await a.store({ ...pending(3), high: 7, acked: 4 }, nothing, { move: 'pass' });
    expect(c.look()).toBe(true);
    await a.store(pending(3), nothing, { move: 'leave' });
    expect([c.look(), c.isDue]).toEqual([true, true]);
    expect(await c.store({ ...begin, high: 8 }, nothing, {})).toMatchObject({ taken: [[3, 1]] });
    expect(await c.store({ ...pending(3), high: 8 }, nothing, {})).toMatchObject({ taken: [] });
    expect(table.stored).toMatchObject({ owner: 'c', offset: { high: 8, pending: [[3, 1]] }, shares: [] });
  });

  it('go on when a change was stored and its answer got lost, but not after it was said to have failed', async () => {
    const change = table.change.bind(table);
    table.change = async (name, again) => {
      await change(name, again);
      return change(name, again);
    };
    const acked = { ...pending(), high: 5, acked: 5 };
    expect(await a.store(acked, nothing, { move: 'pass' })).toBeDefined();
    expect([table.stored?.offset.acked, table.stored?.owner]).toEqual([5, 'b']);
    table.change = async (name, again) => {
      await change(name, again);
      throw new Error('no answer');
    };
    await expect(a.store({ ...begin, acked: 6 }, nothing, {})).rejects.toThrow('no answer');
    table.change = change;
    expect(await a.store({ ...begin, acked: 7 }, nothing, {})).toBeUndefined();
    expect(table.stored?.offset.acked).toBe(6);
  });

  it('do not share with those who want an order: each stands by for the others', async () => {
    const ordered = new Lease(backend, checkTerms('s', { durable: true, serial: true }), 'o');
    expect(await ordered.claim(start, false)).toBeUndefined();
    await a.store(pending(3), nothing, { move: 'leave' });
    expect(await ordered.claim(start, false)).toBeUndefined();
    await b.store(pending(), nothing, { move: 'leave' });
    expect((await ordered.claim(start, false))?.offset.pending).toEqual([[3, 1]]);
    expect(await newLease('c').claim(start, false)).toBeUndefined();
    await ordered.store(pending(3), nothing, { move: 'leave' });
    expect((await newLease('c').claim(start, false))?.offset.pending).toEqual([[3, 1]]);
  });
});
