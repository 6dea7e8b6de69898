import type { Bus } from '@samovar/bus';
import type { Context } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { GetRepoQuery, type Head, type Repo, type Uuid } from '@samovar/repos';
import type { Logger } from '@samovar/server';
import { commits, type Output } from './output.ts';

const gatherMs = 300;

/** Tells what is recorded, and then what is recorded anew. */
export class Report {
  readonly #bus: Bus;
  readonly #conn: Conn;
  readonly #logger: Logger;
  readonly #output: Output;
  /** As they were told of last. */
  readonly #told = new Map<Uuid, Repo>();
  readonly #changed = new Set<Uuid>();
  #isDue = false;

  constructor(bus: Bus, conn: Conn, logger: Logger, output: Output) {
    this.#bus = bus;
    this.#conn = conn;
    this.#logger = logger;
    this.#output = output;
  }

  /** One line for a repository: all that is recorded. */
  tell(repo: Repo): void {
    this.#told.set(repo.repoId, repo);
    this.#output.line(`${repo.name}: ${commits(repo.commits)}, ${headOf(repo.head)}`);
  }

  /** Of what is recorded already, no line is worth telling. */
  know(repo: Repo): void {
    if (!this.#told.has(repo.repoId)) this.#told.set(repo.repoId, repo);
  }

  /** One line whenever something new was recorded, and for what was since it was known; until the log is closed. */
  async follow(ctx: Context): Promise<void> {
    await this.#conn.subscribe('repos.*', (_, event) => {
      this.#changed.add(event.stream.slice('repos.'.length) as Uuid);
      this.#tellSoon(ctx);
    });
    for (const repoId of this.#told.keys()) this.#changed.add(repoId);
    this.#tellSoon(ctx);
  }

  /** Events of one scan come close to each other, and make one line. */
  #tellSoon(ctx: Context): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const repoId of changed) void this.#tellNews(ctx, repoId);
    }, gatherMs).unref();
  }

  async #tellNews(ctx: Context, repoId: Uuid): Promise<void> {
    try {
      const repo = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId });
      const line = newsOf(this.#told.get(repoId), repo);
      this.#told.set(repoId, repo);
      if (line !== undefined) this.#output.line(line);
    } catch (error) {
      if (!ctx.signal.aborted) this.#logger.warn('cannot tell the news of a repository', { repoId, err: error });
    }
  }
}

/** What is new since `before`; undefined: nothing. */
export function newsOf(before: Repo | undefined, now: Repo): string | undefined {
  const recorded = now.commits - (before?.commits ?? 0);
  const moved = before?.head?.hash !== now.head?.hash || before?.head?.ref !== now.head?.ref;
  if (recorded === 0 && !moved) return undefined;
  const news = recorded === 0 ? '' : `${commits(recorded).replace(' ', ' new ')}, `;
  return `${now.name}: ${news}${headOf(now.head)}`;
}

function headOf(head: Head | null): string {
  if (head === null || head.hash === null) return `no commit yet${head?.ref ? ` on ${head.ref}` : ''}`;
  return `head at ${head.hash.slice(0, 7)} (${head.ref ?? 'detached'})`;
}
