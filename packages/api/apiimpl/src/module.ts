import { HttpApi, type HttpOptions } from '@samovar/api';
import { Bus } from '@samovar/bus';
import { Conn } from '@samovar/eda';
import { BackgroundService, Logger, Readiness } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { HttpService } from './http.ts';

/** Binds {@link HttpApi}, and the service that runs it. */
export function apiModule(options: HttpOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(HttpService)
      .toResolvedValue(
        (bus, conn, readiness, logger) => new HttpService(options, { bus, conn, readiness, logger }),
        [Bus, Conn, Readiness, Logger],
      )
      .inSingletonScope();
    bind(HttpApi).toService(HttpService);
    bind(BackgroundService).toService(HttpService);
  });
}
