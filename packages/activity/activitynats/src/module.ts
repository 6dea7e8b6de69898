import { Workers } from '@samovar/activity';
import { Logger } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { DeferredWorkers } from './deferred.ts';
import { NatsWorkers, type NatsWorkersOptions } from './workers.ts';

export interface NatsWorkersModuleOptions extends Pick<NatsWorkersOptions, 'cluster' | 'replicas' | 'leaseMs'> {
  /** Of the form that the event log's has. */
  readonly url: string;
}

/**
 * Binds Workers whose leases are in JetStream KV; the server is connected to when the first one joins. Needs Logger. The
 * connection is closed when the container unbinds Workers, which must be awaited.
 */
export function natsWorkersModule({ url, leaseMs = 10_000, ...options }: NatsWorkersModuleOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Workers)
      .toResolvedValue(
        (logger) => new DeferredWorkers(leaseMs, () => NatsWorkers.open(url, { ...options, leaseMs, logger })),
        [Logger],
      )
      .inSingletonScope()
      .onDeactivation((workers) => (workers as DeferredWorkers)[Symbol.asyncDispose]());
  });
}
