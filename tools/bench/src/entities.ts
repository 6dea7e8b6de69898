import { join } from 'node:path';
import { type ActivityHandle, entityStream, type RepoActivity } from '@samovar/activity';
import { activityMigrations, connEntityEvents, SqlLeases } from '@samovar/activityimpl';
import { LazyEngine } from '@samovar/activitylazy';
import { background } from '@samovar/context';
import { connect as connectDb, migrate } from '@samovar/dbimpl';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { toEvent } from './publishers.ts';
import { letter } from './rawlog.ts';
import { silent } from './services.ts';
import { temporaryFolder } from './temporary.ts';

const publishersAtOnce = 1000;

export type Run = RepoActivity['processRepoEvents'];

/** A log of repositories' events, and a database of leases, each a file of SQLite. */
export interface Entities extends AsyncDisposable {
  readonly conn: Conn;
  readonly leases: SqlLeases;
  readonly repoIds: readonly Uuid[];
}

/** So many repositories with so many events each. Their letters are numbered through. */
export async function makeEntities(count: number, eventsEach: number): Promise<Entities> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const conn = stack.use(await connect(`sqlite:${join(folder.path, 'events.db')}`));
  const db = stack.use(connectDb(`sqlite:${join(folder.path, 'samovar.db')}`, console.error));
  await migrate(background, db, [activityMigrations]);
  const leases = stack.use(await SqlLeases.open(db, { logger: silent }));
  const repoIds = Array.from({ length: count }, (_, n) => repoIdOf(n));
  await fill(conn, repoIds, eventsEach);
  const owned = stack.move();
  return { conn, leases, repoIds, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export function repoIdOf(n: number): Uuid {
  return Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-${String(n).padStart(12, '0')}`);
}

export function streamOf(repoId: Uuid): string {
  return entityStream({ kind: 'repo', repoId });
}

export function engineOf({ conn, leases }: Entities, events = connEntityEvents(conn)): LazyEngine {
  return new LazyEngine({ events, leases, logger: silent });
}

/** Starts it for every repository. */
export function startAll(engine: LazyEngine, { repoIds }: Entities, run: Run, name: string): Promise<ActivityHandle[]> {
  return Promise.all(repoIds.map((repoId) => engine.startRepoActivity(background, repoId, run, { name })));
}

async function fill(conn: Conn, repoIds: readonly Uuid[], eventsEach: number): Promise<void> {
  let next = 0;
  const publisher = async () => {
    while (next < repoIds.length) {
      const at = next++;
      const batch = Array.from({ length: eventsEach }, (_, i) => toEvent(letter(at, at * eventsEach + i)));
      await conn.publishAll(background, streamOf(repoIds[at] as Uuid), batch);
    }
  };
  await Promise.all(Array.from({ length: publishersAtOnce }, publisher));
}
