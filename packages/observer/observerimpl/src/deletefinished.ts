import { endOfStream, type Outcome, type RegistryActivity, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import { GetRegistryQuery } from '@samovar/registry';
import { DeleteWorkflowCommand, ListWorkflowsQuery } from '@samovar/workflows';
import type { Dispatcher } from './tools.ts';

/** Deletes, at every run, the workflows of a registry that have been finished for as long as it keeps them. */
export class DeleteFinished implements RegistryActivity {
  readonly #bus: Dispatcher;
  readonly #now: () => number;

  /** `now` gives milliseconds since 1970. */
  constructor(bus: Dispatcher, now: () => number = () => Date.now()) {
    this.#bus = bus;
    this.#now = now;
  }

  async processRegistryEvents(ctx: Context, registry: string, tail: Tail, events: EventStream): Promise<Outcome> {
    let last = tail;
    for await (const { id } of events.history()) last = id;
    const { ephemeralWorkflows } = await this.#bus.dispatch(ctx, GetRegistryQuery, { registry });
    if (ephemeralWorkflows === null) return endOfStream(last);
    const latest = this.#now() - ephemeralWorkflows.retentionSeconds * 1_000;
    for (const { workflowId, finishedAt } of await this.#bus.dispatch(ctx, ListWorkflowsQuery, { registry })) {
      const isOver = finishedAt !== null && Date.parse(finishedAt) <= latest;
      if (isOver) await this.#bus.dispatch(ctx, DeleteWorkflowCommand, { registry, workflowId });
    }
    return endOfStream(last);
  }
}
