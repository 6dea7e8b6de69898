import { writeSync } from 'node:fs';
import { type EntityRef, endOfStream, type RepoActivity } from '@samovar/activity';
import { LazyEngine } from '@samovar/activitylazy';
import { background } from '@samovar/context';
import { connect as connectDb, migrate } from '@samovar/dbimpl';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { connEntityEvents } from './src/events.ts';
import { SqlLeases } from './src/leases.ts';
import { activityMigrations } from './src/migrations.ts';

const leaseMs = 4_000;

export const repos: readonly (EntityRef & { readonly kind: 'repo' })[] = [1, 2, 3, 4, 5].map((n) => ({
  kind: 'repo',
  repoId: Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-00000000000${n}`),
}));

/** Opens the database at `url`, with the tables of leases. */
export async function openDb(url: string) {
  const db = connectDb(url, (error) => console.error(error));
  await migrate(background, db, [activityMigrations]);
  return db;
}

/**
 * Runs an activity of each repository until the process is killed. It says `<repository> <event's type>` for each event,
 * and, for each line that it reads, the states of all.
 */
export async function work(logUrl: string, dbUrl: string): Promise<void> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const conn = await connect(logUrl, { logger: null });
  const leases = await SqlLeases.open(await openDb(dbUrl), { leaseMs, logger: silent });
  // Whoever has an activity keeps it.
  leases.onPeers = () => new DisposableStack();
  const engine = new LazyEngine({ events: connEntityEvents(conn), leases, logger: silent, claimEveryMs: leaseMs / 10 });
  const telling: RepoActivity['processRepoEvents'] = async (_, repoId, tail, events) => {
    let last = tail;
    for await (const { id, type } of events) {
      writeSync(1, `${repoId} ${type}\n`);
      last = id;
    }
    return endOfStream(last);
  };
  for (const { repoId } of repos) await engine.startRepoActivity(background, repoId, telling, { name: 'telling' });
  const say = () =>
    writeSync(
      1,
      `states ${engine
        .activities()
        .map(({ state }) => state)
        .join()}\n`,
    );
  say();
  process.stdin.on('data', say);
}
