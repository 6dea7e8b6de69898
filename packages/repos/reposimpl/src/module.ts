import { Bus } from '@samovar/bus';
import { Conn } from '@samovar/eda';
import { Repos } from '@samovar/repos';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { Git } from './git.ts';
import { ReposHandlers } from './handlers.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

/** Binds Repos, and what answers its commands and queries on the bus. Needs Bus and Conn; runs the git on PATH. */
export const reposModule = new ContainerModule(({ bind }) => {
  bind(Repos)
    .toResolvedValue((bus, conn) => new ReposService(bus, edaRepoLog(conn), new Git(process.env)), [Bus, Conn])
    .inSingletonScope();
  bind(Initializer)
    .toResolvedValue((bus, repos) => new ReposHandlers(bus, repos), [Bus, Repos])
    .inSingletonScope();
});
