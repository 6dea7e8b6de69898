import { Bus } from '@samovar/bus';
import { Conn } from '@samovar/eda';
import { Repos } from '@samovar/repos';
import { Initializer } from '@samovar/server';
import { ContainerModule } from 'inversify';
import { Archive } from './archive.ts';
import { Git } from './git.ts';
import { ReposHandlers } from './handlers.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

export interface ReposOptions {
  /** An absolute path. Bundles of archived repositories go there, into a folder for each registry; made when needed. */
  readonly archiveDir: string;
}

/**
 * Binds Repos, and what answers its commands and queries on the bus. Needs Bus and Conn; runs the git on PATH.
 *
 * @throws {TypeError} if `archiveDir` is no absolute path.
 */
export function reposModule({ archiveDir }: ReposOptions): ContainerModule {
  const git = new Git(process.env);
  const archive = new Archive(archiveDir, git);
  return new ContainerModule(({ bind }) => {
    bind(Repos)
      .toResolvedValue((bus, conn) => new ReposService(bus, edaRepoLog(conn), git, archive), [Bus, Conn])
      .inSingletonScope();
    bind(Initializer)
      .toResolvedValue((bus, repos) => new ReposHandlers(bus, repos), [Bus, Repos])
      .inSingletonScope();
  });
}
