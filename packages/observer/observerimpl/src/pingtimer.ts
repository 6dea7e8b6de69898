import {
  completed,
  type Outcome,
  type RegistryWorkflowActivity,
  retry,
  SilentRetryAfter,
  type Tail,
} from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import type { Uuid } from '@samovar/repos';
import { answersOf, askedOf, repoIdsOf, succeeded } from './pings.ts';
import type { Dispatcher } from './tools.ts';
import { commitWorkflow, completeWorkflow, findWorkflow } from './workflow.ts';

/** Ends the work of PingRegistry when its time is over, with the answers that have come. */
export class PingTimer implements RegistryWorkflowActivity {
  readonly #bus: Dispatcher;
  readonly #now: () => number;

  /** `now` gives milliseconds since 1970. */
  constructor(bus: Dispatcher, now: () => number = () => Date.now()) {
    this.#bus = bus;
    this.#now = now;
  }

  async processRegistryWorkflowEvents(
    ctx: Context,
    registry: string,
    workflowId: Uuid,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome> {
    const workflow = await findWorkflow(this.#bus, ctx, { registry, workflowId });
    if (workflow?.state === 'running' && workflow.work.type === 'PingRegistry') {
      const end = new Date(Date.parse(workflow.begunAt) + workflow.work.timeoutMs);
      if (this.#now() < end.getTime()) return retry(tail, new SilentRetryAfter(end));
      const asked = askedOf(workflow) ?? (await repoIdsOf(this.#bus, ctx, workflow));
      await completeWorkflow(this.#bus, ctx, workflow, succeeded(answersOf(workflow, asked)));
    }
    if (workflow !== undefined) await commitWorkflow(this.#bus, ctx, workflow);
    let last = tail;
    for await (const { id } of events.history()) last = id;
    return completed(last);
  }
}
