import type { Outcome, RegistryWorkflowIndexActivity, Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { dataOf, type Event, type EventStream } from '@samovar/eda';
import { BeginWorkflowCommand, DeleteWorkflowCommand, WorkflowIndexed, WorkflowUnindexed } from '@samovar/workflows';
import { eachEvent } from './outcomes.ts';
import type { Dispatcher } from './tools.ts';
import { findWorkflow } from './workflow.ts';

/** Makes good what was interrupted: a workflow that is indexed begins, one that is not any more is erased. */
export class MendWorkflows implements RegistryWorkflowIndexActivity {
  readonly #bus: Dispatcher;

  constructor(bus: Dispatcher) {
    this.#bus = bus;
  }

  processRegistryWorkflowIndexEvents(
    ctx: Context,
    _registry: string,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome> {
    return eachEvent(tail, events, (event) => this.#mend(ctx, event));
  }

  async #mend(ctx: Context, event: Event): Promise<void> {
    if (event.is(WorkflowIndexed.name)) {
      const { registry, workflowId, work } = dataOf(WorkflowIndexed, event);
      const workflow = await findWorkflow(this.#bus, ctx, { registry, workflowId });
      if (workflow?.state === 'running') {
        await this.#bus.dispatch(ctx, BeginWorkflowCommand, { registry, workflowId, work });
      }
    }
    if (event.is(WorkflowUnindexed.name)) {
      const { registry, workflowId } = dataOf(WorkflowUnindexed, event);
      // One of the same id may have begun since: it is none of this event's.
      if ((await findWorkflow(this.#bus, ctx, { registry, workflowId })) === undefined) {
        await this.#bus.dispatch(ctx, DeleteWorkflowCommand, { registry, workflowId });
      }
    }
  }
}
