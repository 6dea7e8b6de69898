import { BackgroundService, Initializer, Logger, Readiness, Server } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { ReadinessFlag } from './readiness.ts';
import { ProcessServer, type ServerOptions } from './server.ts';

export type { ServerOptions } from './server.ts';

/** Binds {@link Server} and {@link Readiness}. */
export function serverModule(options: ServerOptions = {}): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ReadinessFlag)
      .toResolvedValue(() => new ReadinessFlag(), [])
      .inSingletonScope();
    bind(Readiness).toService(ReadinessFlag);
    bind(Server)
      .toResolvedValue(
        (initializers: Initializer[], services: BackgroundService[], readiness: ReadinessFlag, logger: Logger) =>
          new ProcessServer(initializers, services, readiness, logger, options),
        [
          { serviceIdentifier: Initializer, isMultiple: true },
          { serviceIdentifier: BackgroundService, isMultiple: true },
          ReadinessFlag,
          Logger,
        ],
      )
      .inSingletonScope();
  });
}
