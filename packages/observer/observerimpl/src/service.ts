import { type Context, throwIfDone, withCancel } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import {
  ListObservedQuery,
  NotAFolderError,
  type Observed,
  ObserveFoldersCommand,
  type Observer,
  type Problem,
} from '@samovar/observer';
import { AddRepoCommand, InitRegistryCommand, ListRegisteredReposQuery, ListRegistriesQuery } from '@samovar/registry';
import { GetRepoQuery, type Repo } from '@samovar/repos';
import pLimit from 'p-limit';
import { isError } from './errors.ts';
import { type Found, findRepositories } from './find.ts';
import type { Scans } from './scans.ts';
import type { Dispatcher } from './tools.ts';

const recordedAtOnce = 2;

/** A repository that was found, and could not be added to its registry. */
interface Missed {
  readonly found: Found;
  readonly registry: string;
  readonly fault: DomainError;
}

/** Finds repositories, adds them to their registry, and has them recorded for the first time. */
export class ObserverService implements Observer {
  readonly #bus: Dispatcher;
  readonly #scans: Scans;
  readonly #logger: Logger;
  readonly #missed = new Map<string, Missed>();

  constructor(bus: Dispatcher, scans: Scans, logger: Logger) {
    this.#bus = bus;
    this.#scans = scans;
    this.#logger = logger;
  }

  async observeFolders(ctx: Context, command: ObserveFoldersCommand): Promise<Observed> {
    const { folders, registry } = ObserveFoldersCommand.parse(command);
    const { repositories, unreadable } = await findRepositories(ctx, folders);
    await this.#bus.dispatch(ctx, InitRegistryCommand, { registry });
    const outcomes = await this.#recordAll(ctx, registry, repositories);
    const observed = await this.#view(ctx, outcomes);
    const unread = unreadable.map((path) => problemOf(path, new NotAFolderError(path)));
    return { repos: observed.repos, problems: [...observed.problems, ...unread] };
  }

  async listObserved(ctx: Context, query: ListObservedQuery): Promise<Observed> {
    ListObservedQuery.parse(query);
    const repos: Repo[] = [];
    for (const { registry } of await this.#bus.dispatch(ctx, ListRegistriesQuery, {})) {
      for (const { repoId } of await this.#bus.dispatch(ctx, ListRegisteredReposQuery, { registry })) {
        const repo = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId });
        if (repo.archive === null) repos.push(repo);
      }
    }
    return await this.#view(ctx, [...repos, ...this.#missed.values()]);
  }

  /** Tries once more to add what could not be added. */
  async addAgain(ctx: Context): Promise<void> {
    for (const { found, registry } of this.#missed.values()) {
      const outcome = await this.#add(ctx, registry, found);
      if ('repoId' in outcome) this.#logger.info('a repository can be recorded again', { path: found.path });
    }
  }

  /** A problem of one repository leaves the others alone, unless it is one of all. In the order in which they were found. */
  async #recordAll(ctx: Context, registry: string, repositories: readonly Found[]): Promise<(Repo | Missed)[]> {
    using scope = withCancel(ctx);
    const turns = pLimit(recordedAtOnce);
    // Their registry has them in this order, too.
    const inOrder = pLimit(1);
    const recordings = repositories.map((found) =>
      turns(async () => {
        throwIfDone(scope.ctx);
        const outcome = await inOrder(() => this.#add(scope.ctx, registry, found));
        if ('repoId' in outcome && outcome.archive === null) {
          await this.#scans.scan(scope.ctx, outcome, { isTold: false });
        }
        const fault = this.#faultOf(outcome);
        if (!isError(fault, 'repos.gitMissing')) return outcome;
        scope.cancel(fault);
        throw fault;
      }),
    );
    const results = await Promise.allSettled(recordings);
    throwIfDone(ctx);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (reasons.length > 0) throw reasons.find((reason) => isError(reason, 'repos.gitMissing')) ?? reasons[0];
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  async #add(ctx: Context, registry: string, found: Found): Promise<Repo | Missed> {
    const { path, name } = found;
    const key = `${registry}\0${path}`;
    try {
      const repo = await this.#bus.dispatch(ctx, AddRepoCommand, { registry, path, name });
      this.#missed.delete(key);
      return repo;
    } catch (error) {
      throwIfDone(ctx);
      const missed = { found, registry, fault: DomainError.from(error) };
      // Without git there is nothing to be said of this one.
      if (!isError(error, 'repos.gitMissing')) this.#missed.set(key, missed);
      return missed;
    }
  }

  #faultOf(outcome: Repo | Missed): DomainError | undefined {
    return 'repoId' in outcome ? this.#scans.faultOf(outcome.repoId) : outcome.fault;
  }

  async #view(ctx: Context, outcomes: readonly (Repo | Missed)[]): Promise<Observed> {
    const repos: Repo[] = [];
    const problems: Problem[] = [];
    for (const outcome of outcomes) {
      const fault = this.#faultOf(outcome);
      if (fault !== undefined) problems.push(problemOf('repoId' in outcome ? outcome.path : outcome.found.path, fault));
      else if ('repoId' in outcome) {
        repos.push(await this.#bus.dispatch(ctx, GetRepoQuery, { repoId: outcome.repoId }));
      }
    }
    return { repos, problems };
  }
}

function problemOf(path: string, { id, publicMessage }: DomainError): Problem {
  return { path, error: id, message: publicMessage };
}
