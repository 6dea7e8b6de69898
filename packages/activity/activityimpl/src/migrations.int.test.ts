import { RecordingLogger } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import { connect, migrate } from '@samovar/dbimpl';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import { expect, it } from 'vitest';
import { SqlLeases } from './leases.ts';
import { activityMigrations } from './migrations.ts';

const open = (url: string) => connect(url, (error) => console.error(error));

describeOnDatabases(open, (name, fresh) => {
  it(`002-runs on ${name} keeps the workers there are, as such that run nothing`, async () => {
    await using database = await fresh();
    const { db } = database;
    const { service, steps } = activityMigrations;
    const before = { service, steps: steps.slice(0, 1) };
    await migrate(ctx, db, [before]);
    await db
      .query<{ activity_workers: object }>(ctx)
      .insertInto('activity_workers')
      .values({ worker: 'ann' })
      .execute();
    await migrate(ctx, db, [activityMigrations]);
    await using bob = await SqlLeases.open(db, { logger: new RecordingLogger() });
    let runs: unknown;
    bob.onPeers(({ all }) => {
      runs = all.find(({ worker }) => worker === 'ann')?.runs;
    });
    expect(runs).toEqual(new Set());
  });
});
