import type { ActivityKey } from '@samovar/activity';
import { RecordingLogger } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { expect, it } from 'vitest';
import { openDb } from '../testing.ts';
import { OwnLeases } from './ownleases.ts';
import { SqlWorkers } from './workers.ts';

const tea: ActivityKey = { entity: { kind: 'registry', registry: 'main' }, name: 'tea' };
const logger = new RecordingLogger();

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
    const members = async () =>
      (await database.db.query<{ activity_workers: object }>(ctx).selectFrom('activity_workers').selectAll().execute())
        .length;
    const own = new OwnLeases(new SqlWorkers(database.db, logger));
    expect(await members()).toBe(0);
    const [lease, other] = await Promise.all([own.claim(ctx, tea), own.claim(ctx, { ...tea, name: 'milk' })]);
    expect(await members()).toBe(1);
    if (lease === undefined || other === undefined) throw new Error('they were free');
    await own.storeTail(ctx, lease, null);
    await own.complete(ctx, other, null);
    await own.release(ctx, lease);
    await own[Symbol.asyncDispose]();
    expect(await members()).toBe(0);
    await expect(own.claim(ctx, tea)).rejects.toThrow('closed');
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
