import type { Bus } from '@samovar/bus';
import {
  BundleRepoCommand,
  DiscardBundleCommand,
  GetRepoQuery,
  InitRepoCommand,
  ListCommitsQuery,
  ListReposQuery,
  MarkRepoArchivedCommand,
  PingRepoCommand,
  type Repos,
  ScanRepoCommand,
} from '@samovar/repos';
import type { Initializer } from '@samovar/server';

/** Answers every command and query of the root on the bus. */
export class ReposHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #repos: Repos;

  constructor(bus: Bus, repos: Repos) {
    this.#bus = bus;
    this.#repos = repos;
  }

  init(): void {
    const [bus, repos] = [this.#bus, this.#repos];
    bus.addHandler(InitRepoCommand, (ctx, command) => repos.initRepo(ctx, command));
    bus.addHandler(ScanRepoCommand, (ctx, command) => repos.scanRepo(ctx, command));
    bus.addHandler(PingRepoCommand, (ctx, command) => repos.pingRepo(ctx, command));
    bus.addHandler(BundleRepoCommand, (ctx, command) => repos.bundleRepo(ctx, command));
    bus.addHandler(DiscardBundleCommand, (ctx, command) => repos.discardBundle(ctx, command));
    bus.addHandler(MarkRepoArchivedCommand, (ctx, command) => repos.markRepoArchived(ctx, command));
    bus.addHandler(GetRepoQuery, (ctx, query) => repos.getRepo(ctx, query));
    bus.addHandler(ListReposQuery, (ctx, query) => repos.listRepos(ctx, query));
    bus.addHandler(ListCommitsQuery, (ctx, query) => repos.listCommits(ctx, query));
  }
}
