import { isDeepStrictEqual } from 'node:util';
import { type ActivityKey, type Lease, type Leases, type Peers, StaleLeaseError } from '@samovar/activity';
import { CanceledError, background as ctx, withCancel } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { otherRepo, repo } from './bench.ts';

/** What the workers of a test share. */
export interface SharedLeases extends AsyncDisposable {
  /** The leases of another worker. */
  worker(): Promise<Leases>;
  /** Has the lease time pass, without a sign of life from that worker. */
  expire(leases: Leases): Promise<void>;
  /** Has that worker give a sign of life. */
  beat(leases: Leases): Promise<void>;
}

const tea: ActivityKey = { entity: repo, name: 'tea' };
const tail = (n: number) => String(n).padStart(26, '0') as EventId;

/** The promises of {@link Leases}, as a vitest suite. */
export function leasesContract(name: string, open: () => Promise<SharedLeases>): void {
  describe(`${name} as Leases`, () => {
    let shared: SharedLeases;
    let ann: Leases;
    let bob: Leases;
    beforeEach(async () => {
      shared = await open();
      ann = await shared.worker();
      bob = await shared.worker();
    });
    afterEach(() => shared[Symbol.asyncDispose]());

    const claimed = async (leases: Leases, activity = tea): Promise<Lease> => {
      const lease = await leases.claim(ctx, activity);
      if (lease === undefined) throw new Error('another worker has it');
      return lease;
    };

    it('give an activity to one worker at a time', async () => {
      expect(await claimed(ann)).toMatchObject({ activity: tea, tail: null, isCompleted: false });
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      expect(await claimed(bob, { entity: repo, name: 'milk' })).toBeDefined();
      expect(await claimed(bob, { entity: otherRepo, name: 'tea' })).toBeDefined();
    });

    it('give one of many that race for it the lease', async () => {
      const workers = [ann, bob, ...(await Promise.all(Array.from({ length: 8 }, () => shared.worker())))];
      const leases = await Promise.all(workers.map((worker) => worker.claim(ctx, tea)));
      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    });

    it('give a worker what it has already under a new epoch, and refuse the old one', async () => {
      const old = await claimed(ann);
      const lease = await claimed(ann);
      expect(lease.epoch).toBeGreaterThan(old.epoch);
      await expect(ann.storeTail(ctx, old, tail(1))).rejects.toThrow(StaleLeaseError);
      await ann.storeTail(ctx, lease, tail(2));
      expect(await claimed(ann)).toMatchObject({ tail: tail(2) });
    });

    it('hand the tail on, back to none too, with a higher epoch', async () => {
      const lease = await claimed(ann);
      await ann.storeTail(ctx, lease, tail(1));
      await ann.storeTail(ctx, lease, tail(2));
      await ann.release(ctx, lease);
      const next = await claimed(bob);
      expect(next.tail).toBe(tail(2));
      expect(next.epoch).toBeGreaterThan(lease.epoch);
      await bob.storeTail(ctx, next, null);
      await bob.release(ctx, next);
      expect(await claimed(ann)).toMatchObject({ tail: null });
    });

    it('are free at once when they were released, also for who has been refused before', async () => {
      const lease = await claimed(ann);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      await ann.release(ctx, lease);
      expect(await bob.claim(ctx, tea)).toBeDefined();
      await expect(ann.storeTail(ctx, lease, tail(1))).rejects.toThrow(StaleLeaseError);
      await ann.release(ctx, lease);
      expect(await ann.claim(ctx, tea)).toBeUndefined();
    });

    it('of a worker that gives no sign of life are free after the lease time, and its stores are refused', async () => {
      const lease = await claimed(ann);
      await ann.storeTail(ctx, lease, tail(1));
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      await shared.expire(ann);
      const next = await claimed(bob);
      expect(next.tail).toBe(tail(1));
      for (const store of [ann.storeTail(ctx, lease, tail(9)), ann.complete(ctx, lease, tail(9))]) {
        await expect(store).rejects.toThrow(StaleLeaseError);
      }
      await ann.release(ctx, lease);
      expect(await ann.claim(ctx, tea)).toBeUndefined();
      await bob.storeTail(ctx, next, tail(2));
      await bob.release(ctx, next);
      expect(await claimed(ann)).toMatchObject({ tail: tail(2) });
    });

    it('tell everybody of what has completed, which nobody has any more', async () => {
      const lease = await claimed(ann);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      await ann.complete(ctx, lease, tail(3));
      for (const worker of [ann, bob, ann]) {
        expect(await claimed(worker)).toMatchObject({ activity: tea, tail: tail(3), isCompleted: true });
      }
      for (const taken of [lease, await claimed(ann)]) {
        await expect(ann.storeTail(ctx, taken, tail(4))).rejects.toThrow(StaleLeaseError);
      }
      expect(await claimed(ann)).toMatchObject({ tail: tail(3) });
    });

    it('of many activities are claimed and stored at the same time', async () => {
      const keys = Array.from({ length: 1_500 }, (_, i) => ({ entity: repo, name: `a${i}` }));
      const leases = await Promise.all(keys.map((key) => claimed(ann, key)));
      await Promise.all(leases.map((lease, i) => ann.storeTail(ctx, lease, tail(i))));
      await Promise.all(leases.slice(0, 700).map((lease) => ann.release(ctx, lease)));
      const next = await Promise.all(keys.map((key) => bob.claim(ctx, key)));
      expect(next.map((lease) => lease?.tail)).toEqual(keys.map((_, i) => (i < 700 ? tail(i) : undefined)));
    });

    it('keep the order of what one activity asks for at once', async () => {
      const lease = await claimed(ann);
      const [, , next] = await Promise.all([
        ann.storeTail(ctx, lease, tail(1)),
        ann.storeTail(ctx, lease, tail(2)),
        ann.claim(ctx, tea),
      ]);
      expect(next).toMatchObject({ tail: tail(2) });
    });

    describe('tell of the workers', () => {
      /** What a worker has been told so far. */
      const listening = (leases: Leases) => {
        const told: Peers[] = [];
        const listener = leases.onPeers((peers) => told.push(peers));
        return { told, listener };
      };
      /** Lets the workers give signs of life until the condition holds. */
      const beating = (workers: readonly Leases[], condition: () => void) =>
        vi.waitFor(async () => {
          for (const worker of workers) await shared.beat(worker);
          condition();
        });
      const runs = (peers: Peers | undefined) => peers?.all.map(({ runs }) => [...runs].toSorted());

      it('that are alive, and of what each has claimed or tried to claim', async () => {
        const [anns, bobs] = [listening(ann), listening(bob)];
        await ann.claim(ctx, tea);
        expect(await bob.claim(ctx, tea)).toBeUndefined();
        await bob.claim(ctx, { entity: { kind: 'registry', registry: 'main' }, name: 'milk' });
        await ann.claim(ctx, { entity: otherRepo, name: 'tea' });
        const both = [['repo/tea'], ['registry/milk', 'repo/tea']];
        await beating([ann, bob], () => {
          const told = [anns, bobs].map(({ told }) => told.at(-1));
          for (const peers of told) expect(runs(peers)?.toSorted((a, b) => a.length - b.length)).toEqual(both);
        });
        const [toAnn, toBob] = [anns.told.at(-1), bobs.told.at(-1)];
        expect(toAnn?.all).toEqual(toBob?.all);
        const names = toAnn?.all.map(({ worker }) => worker) ?? [];
        expect(names).toEqual(names.toSorted());
        const own = toAnn?.all.find(({ worker }) => worker === toAnn.self);
        expect([...(own?.runs ?? [])]).toEqual(['repo/tea']);
        expect(new Set([toAnn?.self, toBob?.self])).toEqual(new Set(names));
      });

      it('whoever listens later at once, nobody twice the same, and none that listens no more', async () => {
        const first = listening(ann);
        await ann.claim(ctx, tea);
        await beating([ann], () => expect(runs(first.told.at(-1))).toContainEqual(['repo/tea']));
        const late = listening(ann);
        expect(late.told).toEqual([first.told.at(-1)]);
        late.listener[Symbol.dispose]();
        for (let beat = 0; beat < 3; beat++) await shared.beat(ann);
        expect(first.told.filter((peers, i) => isDeepStrictEqual(peers, first.told[i - 1]))).toEqual([]);
        await bob.claim(ctx, { entity: repo, name: 'milk' });
        await beating([bob, ann], () => expect(runs(first.told.at(-1))).toContainEqual(['repo/milk']));
        expect(late.told).toHaveLength(1);
      });

      it('when one is given up, which comes again under another name, with what it claims then', async () => {
        const anns = listening(ann);
        const bobs = listening(bob);
        await ann.claim(ctx, tea);
        await bob.claim(ctx, { entity: repo, name: 'milk' });
        await beating([ann, bob], () => expect(runs(anns.told.at(-1))).toHaveLength(2));
        await beating([ann, bob], () => expect(runs(bobs.told.at(-1))).toHaveLength(2));
        const name = bobs.told.at(-1)?.self;
        await shared.expire(bob);
        await beating([ann], () => expect(runs(anns.told.at(-1))).toEqual([['repo/tea']]));
        await shared.beat(bob);
        await bob.claim(ctx, { entity: repo, name: 'milk' });
        await beating([bob, ann], () => {
          expect(runs(anns.told.at(-1))).toContainEqual(['repo/milk']);
          expect(bobs.told.at(-1)?.self).not.toBe(name);
        });
        expect(anns.told.at(-1)?.all.map(({ worker }) => worker)).not.toContain(name);
      });
    });

    it('refuse a context that is done', async () => {
      const lease = await claimed(ann);
      const done = withCancel(ctx);
      done.cancel();
      for (const asked of [
        ann.claim(done.ctx, tea),
        ann.storeTail(done.ctx, lease, tail(1)),
        ann.complete(done.ctx, lease, tail(1)),
        ann.release(done.ctx, lease),
      ]) {
        await expect(asked).rejects.toThrow(CanceledError);
      }
      expect(await claimed(ann)).toMatchObject({ tail: null, isCompleted: false });
    });
  });
}
