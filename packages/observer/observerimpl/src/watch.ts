import { addAbortListener } from 'node:events';
import type { Context } from '@samovar/context';
import { type BackgroundService, type Logger, workContext } from '@samovar/server';
import pLimit from 'p-limit';
import { Following } from './following.ts';
import type { ObservedRepo } from './observed.ts';
import type { Follower } from './service.ts';

export interface WatchOptions {
  /** Milliseconds after which a repository is recorded again although no change was seen. Default: 30,000. */
  readonly rescanEvery?: number;
}

const recordedAtOnce = 4;

/** While it runs, records what changes in the repositories it follows; those of before are followed from the start on. */
export class ObserverWatch implements BackgroundService, Follower {
  readonly name = 'observer';
  readonly #logger: Logger;
  readonly #rescanEvery: number;
  readonly #repos = new Set<ObservedRepo>();
  #begin: ((repo: ObservedRepo) => void) | undefined;

  constructor(logger: Logger, { rescanEvery = 30_000 }: WatchOptions = {}) {
    this.#logger = logger;
    this.#rescanEvery = rescanEvery;
  }

  isDisabled(): boolean {
    return false;
  }

  /** Following a repository again changes nothing. */
  follow(repo: ObservedRepo): void {
    if (this.#repos.has(repo)) return;
    this.#repos.add(repo);
    this.#begin?.(repo);
  }

  async run(ctx: Context): Promise<void> {
    const followings: Following[] = [];
    const options = {
      work: ctx.value(workContext),
      limit: pLimit(recordedAtOnce),
      logger: this.#logger,
      rescanEvery: this.#rescanEvery,
    };
    this.#begin = (repo) => followings.push(new Following(repo, options));
    for (const repo of this.#repos) this.#begin(repo);
    const done = Promise.withResolvers<void>();
    using _listener = addAbortListener(ctx.signal, () => done.resolve());
    await done.promise;
    this.#begin = undefined;
    await Promise.all(followings.map((following) => following.close()));
  }
}
