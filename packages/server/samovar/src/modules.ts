import { activityGrpcModule } from '@samovar/activitygrpc/module';
import { activityModule, sqlWorkersModule } from '@samovar/activityimpl/module';
import { natsWorkersModule } from '@samovar/activitynats/module';
import { alphabeticalModule } from '@samovar/alphabeticalimpl';
import { grpcModule } from '@samovar/apigrpc';
import { apiModule } from '@samovar/apiimpl';
import { badgesModule } from '@samovar/badgesimpl';
import { busModule } from '@samovar/busimpl';
import { dbModule } from '@samovar/dbimpl';
import { consumersModule } from '@samovar/edaimpl/module';
import { journalModule } from '@samovar/journalimpl/module';
import { numericalModule } from '@samovar/numericalimpl';
import { observerModule } from '@samovar/observerimpl';
import { outboxModule } from '@samovar/outboximpl';
import { registryModule } from '@samovar/registryimpl';
import { reposModule } from '@samovar/reposimpl';
import { serverModule } from '@samovar/serverimpl';
import { stickersModule } from '@samovar/stickersimpl';
import { workflowsModule } from '@samovar/workflowsimpl';
import type { ContainerModule } from 'inversify';
import { type Config, ownsDatabase } from './config.ts';
import { grpcOptions } from './grpc.ts';

/** The bill of materials: what a samovar is made of, in the order in which it is initialised and started. */
export function modules(config: Config): ContainerModule[] {
  const { database, migrateAtStart, host, port, allowedHosts, maxBodyBytes, drainMs, cronMs, archive, activities } =
    config;
  const grpc = grpcOptions(config);
  return [
    dbModule({ url: database, migrateAtStart }),
    outboxModule,
    busModule,
    // The worked examples: take them out once services of your own are in.
    numericalModule,
    alphabeticalModule,
    stickersModule,
    badgesModule,
    // The services.
    journalModule,
    reposModule({ archiveDir: archive }),
    registryModule,
    workflowsModule,
    workersModule(config),
    activityModule({ cronMs, drainMs }),
    observerModule({ activities }),
    consumersModule,
    apiModule({ host, port, allowedHosts, maxBodyBytes }),
    ...(grpc === undefined ? [] : [activityGrpcModule, grpcModule(grpc)]),
    serverModule({ drainMs }),
  ];
}

/** Where the leases of activities are: beside the event log, where many servers may share that. */
function workersModule(config: Config): ContainerModule {
  const { events: url, eventsCluster: cluster, eventsReplicas: replicas, leaseMs } = config;
  if (!/^(nats|tls):/i.test(url)) return sqlWorkersModule({ leaseMs, isAlone: ownsDatabase(config) });
  return natsWorkersModule({ url, cluster, leaseMs, ...(replicas === undefined ? {} : { replicas }) });
}
