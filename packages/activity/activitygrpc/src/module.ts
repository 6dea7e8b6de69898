import { EntityEvents, Workers } from '@samovar/activity';
import { systemClock } from '@samovar/activitycore';
import { GrpcService } from '@samovar/api';
import { BackgroundService, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { broadcastService } from './server/broadcast.ts';
import { EventFeed, ephemeralRegistryService, registryService, reposService } from './server/events.ts';
import { leasesService } from './server/leases.ts';
import { RemoteWorkers } from './server/workers.ts';

const mostWorkers = 1_000;

/**
 * Has the gRPC face serve the events of entities and the leases of activities, for workers elsewhere. Needs EntityEvents,
 * Workers and Logger.
 */
export const activityGrpcModule: ContainerModule = new ContainerModule(({ bind }) => {
  bind(EventFeed)
    .toResolvedValue((events: EntityEvents) => new EventFeed(events), [EntityEvents])
    .inSingletonScope();
  for (const service of [registryService, ephemeralRegistryService, reposService]) {
    bind(GrpcService).toResolvedValue(service, [EventFeed]).inSingletonScope();
  }
  bind(GrpcService).toResolvedValue(broadcastService, [EntityEvents]).inSingletonScope();
  bind(RemoteWorkers)
    .toResolvedValue(
      (workers: Workers, logger: Logger) =>
        new RemoteWorkers(workers, { most: mostWorkers, clock: systemClock, logger }),
      [Workers, Logger],
    )
    .inSingletonScope();
  bind(BackgroundService).toService(RemoteWorkers);
  bind(GrpcService).toResolvedValue(leasesService, [RemoteWorkers]).inSingletonScope();
});
