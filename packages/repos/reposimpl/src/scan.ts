import { type Context, withCancel } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { type Commit, type Head, type Repo, RepoUnreadableError } from '@samovar/repos';
import { untilAppended } from './conflicts.ts';
import type { Git, Place } from './git.ts';
import { HashSet } from './hashes.ts';
import type { History } from './history.ts';
import { type Plan, plan, type Seen } from './plan.ts';
import { GitFailedError } from './process.ts';
import type { Progress } from './progress.ts';
import type { RepoFact, RepoLog } from './store.ts';

export interface ScanTools {
  readonly git: Git;
  readonly log: RepoLog;
  readonly repo: Repo;
  readonly history: History;
  /** Brings `history` up to what the log has now. */
  readonly refresh: (ctx: Context) => Promise<void>;
  readonly progress: Progress;
}

const batchCommits = 500;
const batchCharacters = 256 * 1024;

/**
 * Records what is new. Whoever appends expects the head it has taken into account: when another process was faster,
 * nothing of ours is written, and the scan begins anew with what that one wrote.
 *
 * @throws as {@link Repos.scanRepo} does.
 */
export async function scan(ctx: Context, tools: ScanTools, seen: Seen | undefined): Promise<Seen> {
  try {
    return await untilAppended(ctx, () => new Scan(ctx, tools).run(seen));
  } catch (error) {
    if (!(error instanceof GitFailedError)) throw error;
    throw new RepoUnreadableError(tools.repo.path, error.words, { cause: error });
  }
}

class Scan {
  readonly #ctx: Context;
  readonly #tools: ScanTools;
  /** The last event that this scan has taken into account. The history may be further: others refresh it, too. */
  #last: EventId | null = null;

  constructor(ctx: Context, tools: ScanTools) {
    this.#ctx = ctx;
    this.#tools = tools;
  }

  async run(seen: Seen | undefined): Promise<Seen> {
    const { git, repo, history, refresh } = this.#tools;
    const place = await git.locate(this.#ctx, repo.path);
    const head = await git.head(this.#ctx, place.path);
    const tips = await git.tips(this.#ctx, place.path);
    if (head.hash !== null) tips.add(head.hash);

    await refresh(this.#ctx);
    this.#last = history.last;
    history.checkNotArchived();
    const from = history.head;
    const recorded = { frontier: new Set(history.frontier), roots: new Set(history.roots) };
    if (seen?.boundary !== place.boundary || !tips.isSubsetOf(seen.tips)) {
      await this.#record(place, tips, await plan(this.#ctx, git, place, recorded, seen));
    }
    if (!sameHead(from, head)) await this.#append({ kind: 'moved', data: { repoId: repo.repoId, from, to: head } });
    return { tips, boundary: place.boundary };
  }

  async #record(place: Place, tips: Iterable<string>, { without, overlaps }: Plan): Promise<void> {
    const { git, progress } = this.#tools;
    const range = { from: tips, without };
    using counting = withCancel(this.#ctx);
    const counted = overlaps ? undefined : progress.count(git.count(counting.ctx, place.path, range));
    let recorded: HashSet | undefined;
    let batch = new Batch();
    for await (const commits of git.commits(this.#ctx, place.path, range)) {
      if (overlaps) recorded ??= await this.#recordedHashes();
      for (const commit of commits) {
        if (recorded?.has(commit.hash)) continue;
        if (!batch.fits(commit)) {
          await this.#appendCommits(batch);
          batch = new Batch();
        }
        batch.add(commit);
      }
    }
    if (batch.commits.length > 0) await this.#appendCommits(batch);
    counting.cancel();
    await counted;
  }

  async #recordedHashes(): Promise<HashSet> {
    const hashes = new HashSet();
    for await (const event of this.#tools.log.read(this.#ctx, this.#tools.repo.repoId, {})) {
      if (event.kind === 'recorded') for (const { hash } of event.data.commits) hashes.add(hash);
    }
    return hashes;
  }

  async #appendCommits({ commits }: Batch): Promise<void> {
    const { repo, progress } = this.#tools;
    await this.#append({ kind: 'recorded', data: { repoId: repo.repoId, commits } });
    await progress.add(this.#ctx, commits.length);
  }

  async #append(fact: RepoFact): Promise<void> {
    const { log, repo, history } = this.#tools;
    this.#last = await log.append(this.#ctx, repo.repoId, this.#last, fact);
    history.apply({ id: this.#last, ...fact });
  }
}

class Batch {
  readonly commits: Commit[] = [];
  #characters = 0;

  /** A commit that is too large for any batch fits into an empty one. */
  fits(commit: Commit): boolean {
    const { length } = this.commits;
    return length === 0 || (length < batchCommits && this.#characters + charactersOf(commit) <= batchCharacters);
  }

  add(commit: Commit): void {
    this.commits.push(commit);
    this.#characters += charactersOf(commit);
  }
}

/** About as many as its JSON has. */
function charactersOf({ hash, parents, author, subject }: Commit): number {
  return 120 + (hash.length + 3) * (1 + parents.length) + author.name.length + author.email.length + subject.length;
}

function sameHead(a: Head | null, b: Head): boolean {
  return a?.ref === b.ref && a.hash === b.hash;
}
