import { type ActivityKey, type Leases, type Peers, StaleLeaseError } from '@samovar/activity';
import { RecordingLogger, TestClock } from '@samovar/activitytest';
import { leasesContract } from '@samovar/activitytest/contract';
import { background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { FreshDb } from '@samovar/dbtest';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDb } from '../testing.ts';
import { SqlLeases } from './leases.ts';
import type { Tables } from './tables.ts';

const leaseMs = 60_000;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const tea = {
  entity: { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') },
  name: 'tea',
} as const;
const milk: ActivityKey = { ...tea, name: 'milk' };

/** Workers, each with a clock of its own: one whose clock stands still gives no sign of life. */
class TestWorkers implements AsyncDisposable {
  readonly logger = new RecordingLogger();
  readonly clocks = new Map<SqlLeases, TestClock>();
  readonly db: Db;
  readonly #database: FreshDb;

  constructor(database: FreshDb) {
    this.db = database.db;
    this.#database = database;
  }

  async worker(): Promise<SqlLeases> {
    const clock = new TestClock();
    const leases = await SqlLeases.open(this.db, { leaseMs, clock, logger: this.logger });
    this.clocks.set(leases, clock);
    return leases;
  }

  /** Lets time pass for some workers, as far as they should be alive. */
  async pass(ms: number, workers: Iterable<SqlLeases>): Promise<void> {
    for (let passed = 0; passed < ms; passed += leaseMs / 6) {
      for (const worker of workers) await this.beat(worker);
    }
  }

  async expire(silent: Leases): Promise<void> {
    await this.pass(
      leaseMs,
      [...this.clocks.keys()].filter((worker) => worker !== silent),
    );
  }

  async beat(worker: SqlLeases): Promise<void> {
    const clock = this.clocks.get(worker);
    clock?.advance(leaseMs / 6);
    await vi.waitFor(() => expect(clock?.timers).toBe(1), { interval: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.clocks.keys()) await worker[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }
}

/** What a worker is told of the workers, and what each of them runs as it was told last. */
function listening(leases: SqlLeases) {
  const told: Peers[] = [];
  leases.onPeers((peers) => told.push(peers));
  const runs = () => new Map(told.at(-1)?.all.map(({ worker, runs }) => [worker, [...runs]]));
  return { told, runs, self: () => told.at(-1)?.self ?? '' };
}

describeOnDatabases(openDb, (name, fresh) => {
  const open = async () => new TestWorkers(await fresh());
  leasesContract(`SqlLeases on ${name}`, open);

  describe('SqlLeases', () => {
    let workers: TestWorkers;
    let ann: SqlLeases;
    let bob: SqlLeases;
    beforeEach(async () => {
      workers = await open();
      ann = await workers.worker();
      bob = await workers.worker();
    });
    afterEach(() => workers[Symbol.asyncDispose]());

    it('are kept by signs of life, without one for each', async () => {
      const lease = await ann.claim(ctx, tea);
      await workers.pass(3 * leaseMs, [ann, bob]);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      if (lease !== undefined) await ann.storeTail(ctx, lease, null);
      expect(workers.logger.lines).toEqual([]);
    });

    it('of a worker that was paused are lost when it goes on, even if nobody has claimed them', async () => {
      const lease = await ann.claim(ctx, tea);
      await workers.expire(ann);
      await workers.pass(1, [ann]);
      expect(workers.logger.lines).toMatchObject([{ level: 'warn' }]);
      if (lease === undefined) throw new Error('it was free');
      await expect(ann.storeTail(ctx, lease, null)).rejects.toThrow(StaleLeaseError);
      expect(await ann.claim(ctx, tea)).toBeDefined();
      await workers.pass(2 * leaseMs, [ann, bob]);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
    });

    it('are free when their worker has left', async () => {
      await ann.claim(ctx, tea);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
      await Promise.all([ann[Symbol.asyncDispose](), ann[Symbol.asyncDispose]()]);
      expect(workers.clocks.get(ann)?.timers).toBe(0);
      expect(await bob.claim(ctx, tea)).toBeDefined();
      await expect(ann.claim(ctx, tea)).rejects.toThrow('closed');
    });

    it('fail as the database does, and go on when that does', async () => {
      const lease = await ann.claim(ctx, tea);
      if (lease === undefined) throw new Error('it was free');
      const query = vi.spyOn(workers.db, 'query').mockImplementation(() => {
        throw new Error('no database');
      });
      const asked = [ann.claim(ctx, { ...tea, name: 'milk' }), ann.storeTail(ctx, lease, null)];
      for (const answer of asked) await expect(answer).rejects.toThrow('no database');
      await workers.pass(1, [ann]);
      expect(workers.logger.lines).toMatchObject([{ level: 'warn', fields: { err: { message: 'no database' } } }]);
      query.mockRestore();
      await ann.storeTail(ctx, lease, null);
      await workers.pass(2 * leaseMs, [ann, bob]);
      expect(await bob.claim(ctx, tea)).toBeUndefined();
    });

    it('are not looked up one by one, again and again, while another worker has them', async () => {
      const keys = range(1_000).map((n) => ({ ...tea, name: `tea${n}` }));
      await Promise.all(keys.map((key) => ann.claim(ctx, key)));
      const claim = async () =>
        expect(new Set(await Promise.all(keys.map((key) => bob.claim(ctx, key))))).toEqual(new Set([undefined]));
      await claim();
      const query = vi.spyOn(workers.db, 'query');
      await claim();
      // The workers, for each of two batches.
      expect(query).toHaveBeenCalledTimes(2);
    });

    describe('tell of the workers', () => {
      const rows = () => workers.db.query<Tables>(ctx).selectFrom('activity_workers').selectAll().execute();

      it('whoever has joined, at once', async () => {
        await ann.claim(ctx, tea);
        const names = (await rows()).map(({ worker }) => worker);
        const { told, self } = listening(await workers.worker());
        expect(told[0]?.all.map(({ worker }) => worker)).toEqual([...names, self()].toSorted());
        expect(told[0]?.all.map(({ runs }) => [...runs])).toContainEqual(['repo/tea']);
      });

      it('what one runs besides: it before its claim resolves, the others with their next sign of life', async () => {
        const [toAnn, toBob] = [listening(ann), listening(bob)];
        for (const [activity, runs] of [
          [tea, ['repo/tea']],
          [milk, ['repo/tea', 'repo/milk']],
        ] as const) {
          await ann.claim(ctx, activity);
          expect(toAnn.runs().get(toAnn.self())).toEqual(runs);
          await workers.beat(bob);
          expect(toBob.runs().get(toAnn.self())).toEqual(runs);
        }
      });

      it('what one runs once, not with each claim', async () => {
        const query = vi.spyOn(workers.db, 'query');
        const queries = async (activity: ActivityKey) => {
          query.mockClear();
          await ann.claim(ctx, activity);
          return query.mock.calls.length;
        };
        // The workers, what it runs, and the lease.
        expect(await queries(tea)).toBe(3);
        const other = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000002');
        expect(await queries({ ...tea, entity: { kind: 'repo', repoId: other } })).toBe(2);
      });

      it('what one runs also if that could not be stored at first', async () => {
        const { runs } = listening(bob);
        const { db } = workers;
        const query = db.query.bind(db);
        // The second is to store it.
        vi.spyOn(db, 'query')
          .mockImplementationOnce(query)
          .mockImplementationOnce(() => {
            throw new Error('no database');
          });
        await expect(ann.claim(ctx, tea)).rejects.toThrow('no database');
        await ann.claim(ctx, tea);
        await workers.beat(bob);
        expect([...runs().values()]).toContainEqual(['repo/tea']);
      });

      it('of one that is silent as long as it is among them, and no longer', async () => {
        const { runs } = listening(ann);
        const sizes: number[] = [];
        for (const _ of range(6)) {
          await workers.beat(ann);
          sizes.push(runs().size);
          expect([...runs().keys()]).toEqual((await rows()).map(({ worker }) => worker).toSorted());
        }
        expect([sizes[0], sizes.at(-1)]).toEqual([2, 1]);
      });

      it('itself always among them, under its new name with what it runs when it was given up', async () => {
        const { told, runs, self } = listening(bob);
        await bob.claim(ctx, milk);
        const name = self();
        await workers.expire(bob);
        await bob.claim(ctx, tea);
        const query = vi.spyOn(workers.db, 'query');
        await workers.beat(bob);
        // Its sign of life, its new row, which has what it runs from the first, and the workers.
        expect(query).toHaveBeenCalledTimes(3);
        expect(self()).not.toBe(name);
        expect(runs().get(self())).toEqual(['repo/milk', 'repo/tea']);
        expect(runs().has(name)).toBe(false);
        for (const { self, all } of told) expect(all.map(({ worker }) => worker)).toContain(self);
      });

      it.each(['tea', '{"tea":1}', '[1]', 'null', ''])(
        'one whose row says %j for one that runs nothing',
        async (text) => {
          const [toAnn, toBob] = [listening(ann), listening(bob)];
          await bob.claim(ctx, tea);
          await workers.db
            .query<Tables>(ctx)
            .updateTable('activity_workers')
            .set({ runs: text })
            .where('worker', '=', toBob.self())
            .execute();
          await workers.beat(ann);
          expect(toAnn.runs().get(toBob.self())).toEqual([]);
          await workers.beat(bob);
          await workers.beat(ann);
          expect(toAnn.runs().get(toBob.self())).toEqual(['repo/tea']);
          expect(workers.logger.lines).toEqual([]);
        },
      );
    });
  });
});
