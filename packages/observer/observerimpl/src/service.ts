import type { Bus } from '@samovar/bus';
import { type Context, throwIfDone, withCancel } from '@samovar/context';
import {
  ListObservedQuery,
  NotAFolderError,
  type Observed,
  ObserveFoldersCommand,
  type Observer,
  type Problem,
} from '@samovar/observer';
import { GitMissingError, type Repo } from '@samovar/repos';
import pLimit from 'p-limit';
import { findRepositories } from './find.ts';
import { ObservedRepo, problemOf } from './observed.ts';

/** Keeps recording a repository from when it was recorded first. */
export interface Follower {
  follow(repo: ObservedRepo): void;
}

const recordedAtOnce = 2;

/** Finds repositories, and has them recorded over the bus. */
export class ObserverService implements Observer {
  readonly #bus: Bus;
  readonly #follower: Follower;
  readonly #observed = new Map<string, ObservedRepo>();

  constructor(bus: Bus, follower: Follower) {
    this.#bus = bus;
    this.#follower = follower;
  }

  async observeFolders(ctx: Context, command: ObserveFoldersCommand): Promise<Observed> {
    const { folders, registry } = ObserveFoldersCommand.parse(command);
    const { repositories, unreadable } = await findRepositories(ctx, folders);
    const repos = repositories.map((found) => {
      const key = `${registry}\0${found.path}`;
      return { key, repo: this.#observed.get(key) ?? new ObservedRepo(this.#bus, found, registry) };
    });
    await this.#recordAll(ctx, repos);
    const unread = unreadable.map((path) => problemOf(path, new NotAFolderError(path)));
    const { repos: recorded, problems } = await viewAll(
      ctx,
      repos.map(({ repo }) => repo),
    );
    return { repos: recorded, problems: [...problems, ...unread] };
  }

  async listObserved(ctx: Context, query: ListObservedQuery): Promise<Observed> {
    ListObservedQuery.parse(query);
    return await viewAll(ctx, [...this.#observed.values()]);
  }

  /** A problem of one repository leaves the others alone, unless it is one of all. */
  async #recordAll(
    ctx: Context,
    repos: readonly { readonly key: string; readonly repo: ObservedRepo }[],
  ): Promise<void> {
    using scope = withCancel(ctx);
    const limit = pLimit(recordedAtOnce);
    const recordings = repos.map(({ key, repo }) =>
      limit(async () => {
        throwIfDone(scope.ctx);
        await repo.record(scope.ctx);
        if (repo.fault instanceof GitMissingError) {
          scope.cancel(repo.fault);
          throw repo.fault;
        }
        this.#observed.set(key, repo);
        this.#follower.follow(repo);
      }),
    );
    const results = await Promise.allSettled(recordings);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    throwIfDone(ctx);
    if (reasons.length > 0) throw reasons.find((reason) => reason instanceof GitMissingError) ?? reasons[0];
  }
}

async function viewAll(ctx: Context, observed: readonly ObservedRepo[]): Promise<Observed> {
  const repos: Repo[] = [];
  const problems: Problem[] = [];
  for (const repo of observed) {
    const view = await repo.view(ctx);
    if (view !== undefined) repos.push(view);
    else if (repo.problem !== undefined) problems.push(repo.problem);
  }
  return { repos, problems };
}
