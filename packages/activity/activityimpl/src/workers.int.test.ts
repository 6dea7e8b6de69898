import type { ActivityKey, Peers } from '@samovar/activity';
import { RecordingLogger } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { expect, it } from 'vitest';
import { openDb } from '../testing.ts';
import { OwnLeases } from './ownleases.ts';
import type { Tables } from './tables.ts';
import { SqlWorkers } from './workers.ts';

const tea: ActivityKey = { entity: { kind: 'registry', registry: 'main' }, name: 'tea' };
const milk: ActivityKey = { ...tea, name: 'milk' };
const logger = new RecordingLogger();

async function members(db: Db): Promise<number> {
  return (await db.query<Tables>(ctx).selectFrom('activity_workers').selectAll().execute()).length;
}

describeOnDatabases(openDb, (name, fresh) => {
  it(`workers on ${name} share activities`, async () => {
    await using database = await fresh();
    const workers = new SqlWorkers(database.db, logger);
    expect(workers.leaseMs).toBe(10_000);
    await using ann = await workers.join();
    await using bob = await new SqlWorkers(database.db, logger).join();
    const lease = await ann.claim(ctx, tea);
    expect(await bob.claim(ctx, tea)).toBeUndefined();
    if (lease === undefined) throw new Error('it was free');
    await ann.release(ctx, lease);
    expect(await bob.claim(ctx, tea)).toBeDefined();
  });

  it(`a process that is alone on ${name} takes at once what one before it had when it was killed`, async () => {
    await using database = await fresh();
    await using killed = await new SqlWorkers(database.db, logger).join();
    await killed.claim(ctx, tea);
    const workers = new SqlWorkers(database.db, logger, { isAlone: true });
    await using ann = await workers.join();
    expect(await ann.claim(ctx, tea)).toBeDefined();
    await using bob = await workers.join();
    expect(await bob.claim(ctx, tea)).toBeUndefined();
  });

  it(`the leases of a process on ${name} join at the first claim, and leave when they are disposed`, async () => {
    await using database = await fresh();
    const own = new OwnLeases(new SqlWorkers(database.db, logger));
    expect(await members(database.db)).toBe(0);
    const [lease, other] = await Promise.all([own.claim(ctx, tea), own.claim(ctx, milk)]);
    expect(await members(database.db)).toBe(1);
    if (lease === undefined || other === undefined) throw new Error('they were free');
    await own.storeTail(ctx, lease, null);
    await own.complete(ctx, other, null);
    await own.release(ctx, lease);
    await own[Symbol.asyncDispose]();
    expect(await members(database.db)).toBe(0);
    await expect(own.claim(ctx, tea)).rejects.toThrow('closed');
  });

  it(`the leases of a process on ${name} tell of the workers when it has joined, which listening does not do`, async () => {
    await using database = await fresh();
    await using ann = await new SqlWorkers(database.db, logger).join();
    await ann.claim(ctx, tea);
    await using own = new OwnLeases(new SqlWorkers(database.db, logger));
    const listening = () => {
      const told: Peers[] = [];
      return { told, listener: own.onPeers((peers) => told.push(peers)) };
    };
    const runs = (peers: Peers | undefined) => peers?.all.map(({ runs }) => [...runs].join());
    const [early, none] = [listening(), listening()];
    none.listener[Symbol.dispose]();
    expect(await members(database.db)).toBe(1);
    expect(early.told).toEqual([]);
    await own.claim(ctx, milk);
    expect(runs(early.told.at(-1))?.toSorted()).toEqual(['registry/milk', 'registry/tea']);
    const late = listening();
    expect(late.told).toEqual([early.told.at(-1)]);
    const told = early.told.length;
    early.listener[Symbol.dispose]();
    await own.claim(ctx, tea);
    expect(runs(late.told.at(-1))).toContain('registry/milk,registry/tea');
    expect([early.told.length, none.told.length]).toEqual([told, 0]);
  });
});

it('the leases of a process try to join again with the next claim', async () => {
  let attempts = 0;
  const failing = () => {
    attempts++;
    return Promise.reject(new Error('no database'));
  };
  const own = new OwnLeases({ leaseMs: 10_000, join: failing });
  await expect(own.claim(ctx, tea)).rejects.toThrow('no database');
  await expect(own.claim(ctx, tea)).rejects.toThrow('no database');
  expect(attempts).toBe(2);
  await own[Symbol.asyncDispose]();
});
