import { apiModule } from '@samovar/apiimpl';
import { busModule } from '@samovar/busimpl';
import { observerModule } from '@samovar/observerimpl';
import { reposModule } from '@samovar/reposimpl';
import { serverModule } from '@samovar/serverimpl';
import type { ContainerModule } from 'inversify';
import type { Config } from './config.ts';

/** The bill of materials: what a samovar is made of, in the order in which it is initialised and started. */
export function modules({ host, port, allowedHosts, maxBodyBytes, drainMs }: Config): ContainerModule[] {
  return [
    busModule,
    reposModule,
    observerModule,
    apiModule({ host, port, allowedHosts, maxBodyBytes }),
    serverModule({ drainMs }),
  ];
}
