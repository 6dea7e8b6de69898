import { Engines, EntityEvents } from '@samovar/activity';
import { Bus } from '@samovar/bus';
import { Observer } from '@samovar/observer';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { ObservingService } from './background.ts';
import { ObserverHandlers } from './handlers.ts';
import { Scans } from './scans.ts';
import { ObserverService } from './service.ts';

const own = { service: 'observer' };

export interface ObserverOptions {
  /** Whether this process runs the activities; false: workers do. Default: true. */
  readonly activities?: boolean;
}

/**
 * Binds Observer, what answers its messages on the bus, and the background service that has what is registered observed.
 * Needs Bus, with the messages of Registry, Repos and Workflows handled there, Engines, EntityEvents and Logger.
 */
export function observerModule({ activities = true }: ObserverOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Scans)
      .toResolvedValue((bus, logger) => new Scans(bus, logger.child(own)), [Bus, Logger])
      .inSingletonScope();
    bind(ObserverService)
      .toResolvedValue((bus, scans, logger) => new ObserverService(bus, scans, logger.child(own)), [Bus, Scans, Logger])
      .inSingletonScope();
    bind(Observer).toService(ObserverService);
    bind(Initializer)
      .toResolvedValue((bus, observer) => new ObserverHandlers(bus, observer), [Bus, Observer])
      .inSingletonScope();
    bind(BackgroundService)
      .toResolvedValue(
        (bus, engines, events, logger, scans, observer) =>
          new ObservingService({ bus, engines, events, logger: logger.child(own) }, scans, observer, { activities }),
        [Bus, Engines, EntityEvents, Logger, Scans, ObserverService],
      )
      .inSingletonScope();
  });
}
