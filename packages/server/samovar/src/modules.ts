import { alphabeticalModule } from '@samovar/alphabeticalimpl';
import { apiModule } from '@samovar/apiimpl';
import { badgesModule } from '@samovar/badgesimpl';
import { busModule } from '@samovar/busimpl';
import { dbModule } from '@samovar/dbimpl';
import { consumersModule } from '@samovar/edaimpl/module';
import { numericalModule } from '@samovar/numericalimpl';
import { observerModule } from '@samovar/observerimpl';
import { outboxModule } from '@samovar/outboximpl';
import { reposModule } from '@samovar/reposimpl';
import { serverModule } from '@samovar/serverimpl';
import { stickersModule } from '@samovar/stickersimpl';
import type { ContainerModule } from 'inversify';
import type { Config } from './config.ts';

/** The bill of materials: what a samovar is made of, in the order in which it is initialised and started. */
export function modules(config: Config): ContainerModule[] {
  const { database, migrateAtStart, host, port, allowedHosts, maxBodyBytes, drainMs } = config;
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
    reposModule,
    observerModule,
    consumersModule,
    apiModule({ host, port, allowedHosts, maxBodyBytes }),
    serverModule({ drainMs }),
  ];
}
