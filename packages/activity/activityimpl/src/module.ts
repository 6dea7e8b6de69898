import { Engines, EntityEvents, Leases, Workers } from '@samovar/activity';
import { Bus } from '@samovar/bus';
import { Db, Migrations } from '@samovar/db';
import { Conn } from '@samovar/eda';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { ProcessEngines } from './engines.ts';
import { connEntityEvents } from './events.ts';
import { ActivityHandlers } from './handlers.ts';
import { activityMigrations } from './migrations.ts';
import { OwnLeases } from './ownleases.ts';
import { Reports } from './reports.ts';
import { ActivityService } from './service.ts';
import { SqlWorkers, type SqlWorkersOptions } from './workers.ts';

export interface ActivityOptions {
  /** Milliseconds from one tick of the cron engine to the next, from 1 up. Default: 30,000. */
  readonly cronMs?: number;
  /** Milliseconds for which a shutdown waits for activities that do not end at once. Default: 10,000. */
  readonly drainMs?: number;
}

/**
 * Binds EntityEvents, Leases and Engines, the service that stops the engines, and what answers the domain's queries on the
 * bus. Needs Bus, Conn, Workers and Logger; the process joins as a worker with its first activity.
 */
export function activityModule({ cronMs, drainMs = 10_000 }: ActivityOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(EntityEvents)
      .toResolvedValue((conn) => connEntityEvents(conn), [Conn])
      .inSingletonScope();
    bind(OwnLeases)
      .toResolvedValue((workers) => new OwnLeases(workers), [Workers])
      .inSingletonScope();
    bind(Leases).toService(OwnLeases);
    bind(ProcessEngines)
      .toResolvedValue(
        (events, leases, logger) => new ProcessEngines({ events, leases, logger, cronMs }),
        [EntityEvents, Leases, Logger],
      )
      .inSingletonScope();
    bind(Engines).toService(ProcessEngines);
    bind(BackgroundService)
      .toResolvedValue((engines, leases) => new ActivityService(engines, leases, drainMs), [ProcessEngines, OwnLeases])
      .inSingletonScope();
    bind(Initializer)
      .toResolvedValue(
        (bus, engines, events) => new ActivityHandlers(bus, new Reports(engines, events)),
        [Bus, Engines, EntityEvents],
      )
      .inSingletonScope();
  });
}

/** Binds Workers whose leases are in the database, and the tables of those. Needs Db and Logger. */
export function sqlWorkersModule(options: SqlWorkersOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Workers)
      .toResolvedValue((db, logger) => new SqlWorkers(db, logger, options), [Db, Logger])
      .inSingletonScope();
    bind(Migrations).toConstantValue(activityMigrations);
  });
}
