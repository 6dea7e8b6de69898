import type { ActivityHandle } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { dataOf, type Event } from '@samovar/eda';
import { ListRegisteredReposQuery, RepoAdded, RepoRemoved } from '@samovar/registry';
import pLimit, { type LimitFunction } from 'p-limit';
import { follow } from './following.ts';
import { ObservedRepo } from './observed.ts';
import { ObserveRepo } from './observerepo.ts';
import { RescanRepo } from './rescanrepo.ts';
import type { Place, Scans } from './scans.ts';
import { forEach, Started } from './started.ts';
import type { Tools } from './tools.ts';

const changedAtOnce = 4;
const rescannedAtOnce = 2;

/** Starts the activities of a registry's repositories, of each from when it is added until it is removed. */
export class RepoStarts {
  readonly #tools: Tools;
  readonly #registry: string;
  readonly #scans: Scans;
  readonly #started = new Started();
  readonly #changed = pLimit(changedAtOnce);
  readonly #rescanned = pLimit(rescannedAtOnce);

  constructor(tools: Tools, registry: string, scans: Scans) {
    this.#tools = tools;
    this.#registry = registry;
    this.#scans = scans;
  }

  /** Until `ctx` is done; then it stops what it has started. @throws why `ctx` is done. */
  async follow(ctx: Context): Promise<never> {
    try {
      return await follow(
        ctx,
        this.#tools,
        { kind: 'registry', registry: this.#registry },
        {
          startAll: () => this.#startAll(ctx),
          handle: (event) => this.#handle(ctx, event),
        },
      );
    } finally {
      await this.#started.stopAll();
    }
  }

  async #startAll(ctx: Context): Promise<void> {
    const registry = this.#registry;
    const repos = await this.#tools.bus.dispatch(ctx, ListRegisteredReposQuery, { registry });
    await forEach(repos, (repo) => this.#start(ctx, repo));
  }

  async #handle(ctx: Context, event: Event): Promise<void> {
    if (event.is(RepoAdded.name)) await this.#start(ctx, dataOf(RepoAdded, event));
    if (event.is(RepoRemoved.name)) await this.#started.stop(dataOf(RepoRemoved, event).repoId);
  }

  async #start(ctx: Context, { repoId, path }: Place): Promise<void> {
    const { bus, engines, logger } = this.#tools;
    await this.#started.start(repoId, async (stack) => {
      let observed: ActivityHandle | undefined;
      const onChange = () => {
        // Whoever runs the activity may not see the files, or may be dead.
        if (observed?.status().state === 'waiting') void scanQuietly(ctx, repo, this.#changed);
        else engines.signal({ kind: 'repo', repoId });
      };
      const repo = stack.use(new ObservedRepo({ repoId, path }, this.#scans, logger, onChange));
      observed = await engines.lazy.startRepoActivity(ctx, repoId, new ObserveRepo(bus, repo, this.#changed));
      stack.defer(() => observed?.stop());
      // One that is archived does not change any more.
      void observed.ended.then(() => repo[Symbol.asyncDispose]());
      const rescanned = await engines.cron.startRepoActivity(ctx, repoId, new RescanRepo(repo, this.#rescanned));
      stack.defer(() => rescanned.stop());
    });
  }
}

/** Never rejects: a scan fails with the end of its context only. */
async function scanQuietly(ctx: Context, repo: ObservedRepo, limit: LimitFunction): Promise<void> {
  await limit(() => repo.scan(ctx)).catch(() => {});
}
