import { type Leases, StaleLeaseError } from '@samovar/activity';
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

const leaseMs = 60_000;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const tea = {
  entity: { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') },
  name: 'tea',
} as const;

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
      for (const worker of workers) await this.#beat(worker);
    }
  }

  async expire(silent: Leases): Promise<void> {
    await this.pass(
      leaseMs,
      [...this.clocks.keys()].filter((worker) => worker !== silent),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.clocks.keys()) await worker[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }

  async #beat(worker: SqlLeases): Promise<void> {
    const clock = this.clocks.get(worker);
    clock?.advance(leaseMs / 6);
    await vi.waitFor(() => expect(clock?.timers).toBe(1), { interval: 1 });
  }
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
  });
});
