import { completed, endOfStream, type Outcome, type RepoActivity, retry, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { dataOf, type Event, type EventStream } from '@samovar/eda';
import { GetRepoQuery, RepoArchived, RepoPinged, type Uuid } from '@samovar/repos';
import type { LimitFunction } from 'p-limit';
import type { ObservedRepo } from './observed.ts';
import type { Dispatcher } from './tools.ts';
import { progressWorkflow } from './workflow.ts';

/** Answers who asks for a sign of life, and scans a repository when that has changed, until it is archived. */
export class ObserveRepo implements RepoActivity {
  readonly #bus: Dispatcher;
  readonly #repo: ObservedRepo;
  readonly #limit: LimitFunction;

  /** `limit` is shared by all, so that not too many are scanned at once. */
  constructor(bus: Dispatcher, repo: ObservedRepo, limit: LimitFunction) {
    this.#bus = bus;
    this.#repo = repo;
    this.#limit = limit;
  }

  async processRepoEvents(ctx: Context, repoId: Uuid, tail: Tail, events: EventStream): Promise<Outcome> {
    let last = tail;
    try {
      for await (const event of events.history()) {
        if (event.is(RepoArchived.name)) return completed(event.id);
        await this.#answer(ctx, repoId, event);
        last = event.id;
      }
      // Events tell of what is recorded: it is something else that has woken this one where there are none.
      if (last === tail || this.#repo.isChanged) await this.#limit(() => this.#repo.scan(ctx));
      for await (const event of events) {
        if (event.is(RepoArchived.name)) return completed(event.id);
        await this.#answer(ctx, repoId, event);
        last = event.id;
      }
      return endOfStream(last);
    } catch (error) {
      return retry(last, error as Error);
    }
  }

  async #answer(ctx: Context, repoId: Uuid, event: Event): Promise<void> {
    if (!event.is(RepoPinged.name)) return;
    const { registry, workflowId } = dataOf(RepoPinged, event);
    const { head, commits } = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId });
    await progressWorkflow(this.#bus, ctx, { registry, workflowId }, repoId, { head, commits });
  }
}
