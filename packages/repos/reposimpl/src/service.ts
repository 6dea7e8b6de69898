import { isDeepStrictEqual } from 'node:util';
import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import { Turns } from '@samovar/context/turns';
import { HeadConflictError } from '@samovar/eda';
import {
  type Bundle,
  BundleRepoCommand,
  type CommitsPage,
  DiscardBundleCommand,
  GetRepoQuery,
  InitRepoCommand,
  ListCommitsQuery,
  ListReposQuery,
  MarkRepoArchivedCommand,
  PingRepoCommand,
  type Repo,
  RepoArchivedError,
  RepoNotFoundError,
  type Repos,
  ScanRepoCommand,
  Uuid,
} from '@samovar/repos';
import { v5 } from 'uuid';
import type { Archive } from './archive.ts';
import { untilAppended } from './conflicts.ts';
import type { Git } from './git.ts';
import { History } from './history.ts';
import { readPage } from './page.ts';
import type { Seen } from './plan.ts';
import { Progress } from './progress.ts';
import { scan } from './scan.ts';
import type { RepoFact, RepoLog } from './store.ts';

/** What this process knows of a repository. */
class Known {
  readonly history = new History();
  seen: Seen | undefined;
}

const namespace = 'a6dac559-5a52-4b33-af4a-75fb1a9d458e';

/** Git repositories, each on a stream of the log. */
export class ReposService implements Repos {
  readonly #bus: Bus;
  readonly #log: RepoLog;
  readonly #git: Git;
  readonly #archive: Archive;
  readonly #known = new Map<Uuid, Known>();
  readonly #scans = new Turns();
  readonly #bundles = new Turns();

  constructor(bus: Bus, log: RepoLog, git: Git, archive: Archive) {
    this.#bus = bus;
    this.#log = log;
    this.#git = git;
    this.#archive = archive;
  }

  async initRepo(ctx: Context, command: InitRepoCommand): Promise<Repo> {
    const { registry, name, path: given } = InitRepoCommand.parse(command);
    const { path } = await this.#git.locate(ctx, given);
    // Made from what it stands for, so that whoever registers a path comes to the same stream, and the first one wins.
    const repoId = Uuid.parse(v5(`${registry}\0${path}`, namespace));
    const known = await this.#find(ctx, repoId);
    if (known !== undefined) return known.repo;
    try {
      await this.#log.append(ctx, repoId, null, { kind: 'initialized', data: { repoId, registry, name, path } });
    } catch (error) {
      if (!(error instanceof HeadConflictError)) throw error;
    }
    return await this.getRepo(ctx, { repoId });
  }

  async scanRepo(ctx: Context, command: ScanRepoCommand): Promise<{ recorded: number }> {
    const { repoId } = ScanRepoCommand.parse(command);
    const { repo, known } = await this.#get(ctx, repoId);
    known.history.checkNotArchived();
    const progress = new Progress(this.#bus, repoId);
    await this.#scans.take(ctx, repoId, async () => {
      const refresh = () => this.#refresh(ctx, repoId, known.history);
      const tools = { git: this.#git, log: this.#log, repo, history: known.history, refresh, progress };
      known.seen = await scan(ctx, tools, known.seen);
    });
    await progress.finish(ctx);
    return { recorded: progress.recorded };
  }

  async pingRepo(ctx: Context, command: PingRepoCommand): Promise<void> {
    const { repoId, workflowId } = PingRepoCommand.parse(command);
    await this.#change(ctx, repoId, ({ registry }, history) => {
      history.checkNotArchived();
      return history.pings.has(workflowId) ? undefined : { kind: 'pinged', data: { repoId, registry, workflowId } };
    });
  }

  async bundleRepo(ctx: Context, command: BundleRepoCommand): Promise<Bundle> {
    const { repoId, workflowId } = BundleRepoCommand.parse(command);
    const { repo } = await this.#get(ctx, repoId);
    return await this.#bundles.take(ctx, repoId, () => this.#archive.bundle(ctx, repo, workflowId));
  }

  async discardBundle(ctx: Context, command: DiscardBundleCommand): Promise<void> {
    const { repoId, workflowId } = DiscardBundleCommand.parse(command);
    const { repo } = await this.#get(ctx, repoId);
    await this.#bundles.take(ctx, repoId, () => this.#archive.discard(repo, workflowId));
  }

  async markRepoArchived(ctx: Context, command: MarkRepoArchivedCommand): Promise<void> {
    const { repoId, archive } = MarkRepoArchivedCommand.parse(command);
    await this.#change(ctx, repoId, (repo) => {
      if (repo.archive === null) return { kind: 'archived', data: { repoId, archive } };
      if (!isDeepStrictEqual(repo.archive, archive)) throw new RepoArchivedError(repoId, repo.archive.path);
      return undefined;
    });
  }

  async getRepo(ctx: Context, query: GetRepoQuery): Promise<Repo> {
    const { repoId } = GetRepoQuery.parse(query);
    return (await this.#get(ctx, repoId)).repo;
  }

  async listRepos(ctx: Context, query: ListReposQuery): Promise<Repo[]> {
    const { registry } = ListReposQuery.parse(query);
    const repos: Repo[] = [];
    for await (const { repoId, head } of this.#log.heads(ctx)) {
      const cached = this.#known.get(repoId)?.history;
      const repo = cached?.last === head ? cached.repo : (await this.#find(ctx, repoId))?.repo;
      if (repo !== undefined && (registry === undefined || repo.registry === registry)) repos.push(repo);
    }
    return repos.sort((a, b) => compare(a.name, b.name) || compare(a.path, b.path));
  }

  async listCommits(ctx: Context, query: ListCommitsQuery): Promise<CommitsPage> {
    const checked = ListCommitsQuery.parse(query);
    await this.#get(ctx, checked.repoId);
    return await readPage(ctx, this.#log, checked);
  }

  async #get(ctx: Context, repoId: Uuid): Promise<{ repo: Repo; known: Known }> {
    const found = await this.#find(ctx, repoId);
    if (found === undefined) throw new RepoNotFoundError(repoId);
    return found;
  }

  /** As the log has it now. Only what exists is kept, so that asking for anything else takes no memory. */
  async #find(ctx: Context, repoId: Uuid): Promise<{ repo: Repo; known: Known } | undefined> {
    const known = this.#known.get(repoId) ?? new Known();
    await this.#refresh(ctx, repoId, known.history);
    const { repo } = known.history;
    if (repo === undefined) return undefined;
    const kept = this.#known.get(repoId) ?? known;
    this.#known.set(repoId, kept);
    return { repo, known: kept };
  }

  /** Appends what `decide` says about the repository as it is then; undefined: nothing is to happen. */
  async #change(
    ctx: Context,
    repoId: Uuid,
    decide: (repo: Repo, history: History) => RepoFact | undefined,
  ): Promise<void> {
    await untilAppended(ctx, async () => {
      const { repo, known } = await this.#get(ctx, repoId);
      const fact = decide(repo, known.history);
      if (fact !== undefined) await this.#log.append(ctx, repoId, known.history.last, fact);
    });
  }

  async #refresh(ctx: Context, repoId: Uuid, history: History): Promise<void> {
    for await (const event of this.#log.read(ctx, repoId, { after: history.last ?? undefined })) history.apply(event);
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
