import type { EntityEvents, Leases } from '@samovar/activity';
import { MemoryLeases } from '@samovar/activitycore';
import { CronEngine } from '@samovar/activitycron';
import { EagerEngine } from '@samovar/activityeager';
import { connEntityEvents } from '@samovar/activityimpl';
import { LazyEngine } from '@samovar/activitylazy';
import type { Context } from '@samovar/context';
import type { Conn, Logger } from '@samovar/eda';
import { Herald } from './herald.ts';

const logger: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error };

const engines = {
  lazy: (events: EntityEvents, leases: Leases) => new LazyEngine({ events, leases, logger }),
  eager: (events: EntityEvents, leases: Leases) => new EagerEngine({ events, leases, logger }),
  cron: (events: EntityEvents, leases: Leases) => new CronEngine({ events, leases, logger, everyMs: 1_000 }),
};

export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

/** Has a herald for every repository of the log, on one engine or another, until `ctx` is done. */
export async function heralds(
  ctx: Context,
  conn: Conn,
  print: (line: string) => void,
  { engine: name }: { readonly engine: EngineName },
): Promise<void> {
  const events = connEntityEvents(conn);
  await using engine = engines[name](events, new MemoryLeases());
  const herald = new Herald(print);
  for await (const { entity } of events.heads(ctx, ['repo'])) {
    if (entity.kind === 'repo') await engine.startRepoActivity(ctx, entity.repoId, herald);
  }
  const done = Promise.withResolvers<void>();
  ctx.signal.addEventListener('abort', () => done.resolve());
  await done.promise;
}
