import { GrpcApi, type GrpcOptions, GrpcService } from '@samovar/api';
import { Bus } from '@samovar/bus';
import { BackgroundService, Logger, Readiness } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { GrpcBackgroundService } from './service.ts';

/** Binds {@link GrpcApi}, and the service that runs it: it serves every {@link GrpcService} that is bound. */
export function grpcModule(options: GrpcOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(GrpcBackgroundService)
      .toResolvedValue(
        (bus: Bus, services: GrpcService[], readiness: Readiness, logger: Logger) =>
          new GrpcBackgroundService(options, { bus, services, readiness, logger }),
        [Bus, { serviceIdentifier: GrpcService, isMultiple: true }, Readiness, Logger],
      )
      .inSingletonScope();
    bind(GrpcApi).toService(GrpcBackgroundService);
    bind(BackgroundService).toService(GrpcBackgroundService);
  });
}
