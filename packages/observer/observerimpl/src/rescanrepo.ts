import { completed, endOfStream, type Outcome, type RepoActivity, retry, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import { RepoArchived, type Uuid } from '@samovar/repos';
import type { LimitFunction } from 'p-limit';
import type { ObservedRepo } from './observed.ts';

/** Scans a repository at every run, in case a change was not seen, until it is archived. */
export class RescanRepo implements RepoActivity {
  readonly #repo: ObservedRepo;
  readonly #limit: LimitFunction;

  /** `limit` is shared by all, so that not too many are scanned at once. */
  constructor(repo: ObservedRepo, limit: LimitFunction) {
    this.#repo = repo;
    this.#limit = limit;
  }

  async processRepoEvents(ctx: Context, _repoId: Uuid, tail: Tail, events: EventStream): Promise<Outcome> {
    let last = tail;
    try {
      for await (const { id, type } of events.history()) {
        if (type === RepoArchived.name) return completed(id);
        last = id;
      }
      await this.#limit(() => this.#repo.scan(ctx));
      return endOfStream(last);
    } catch (error) {
      return retry(last, error as Error);
    }
  }
}
