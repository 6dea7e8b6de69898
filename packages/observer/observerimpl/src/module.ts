import { Bus } from '@samovar/bus';
import { Observer } from '@samovar/observer';
import { BackgroundService, Initializer, Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { ObserverHandlers } from './handlers.ts';
import { ObserverService } from './service.ts';
import { ObserverWatch } from './watch.ts';

/**
 * Binds Observer, what answers its messages on the bus, and the background service that keeps recording. Needs Bus,
 * with the messages of Repos handled there, and Logger.
 */
export const observerModule = new ContainerModule(({ bind }) => {
  bind(ObserverWatch)
    .toResolvedValue((logger) => new ObserverWatch(logger.child({ service: 'observer' })), [Logger])
    .inSingletonScope();
  bind(Observer)
    .toResolvedValue((bus, watch) => new ObserverService(bus, watch), [Bus, ObserverWatch])
    .inSingletonScope();
  bind(Initializer)
    .toResolvedValue((bus, observer) => new ObserverHandlers(bus, observer), [Bus, Observer])
    .inSingletonScope();
  bind(BackgroundService).toService(ObserverWatch);
});
