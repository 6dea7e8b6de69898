import { BackgroundService, Check, Initializer, Logger, Readiness, Server } from '@samovar/server';
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
        (
          initializers: Initializer[],
          services: BackgroundService[],
          checks: Check[],
          readiness: ReadinessFlag,
          logger: Logger,
        ) => new ProcessServer(initializers, services, checks, readiness, logger, options),
        [
          { serviceIdentifier: Initializer, isMultiple: true },
          { serviceIdentifier: BackgroundService, isMultiple: true },
          { serviceIdentifier: Check, isMultiple: true },
          ReadinessFlag,
          Logger,
        ],
      )
      .inSingletonScope();
  });
}
