import type { Outcome, RegistryWorkflowActivity, Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import { PingRepoCommand, type Uuid } from '@samovar/repos';
import type { Workflow, WorkOutcome } from '@samovar/workflows';
import { isError } from './errors.ts';
import { eachTime } from './outcomes.ts';
import { answersOf, askedOf, askedStep, repoIdsOf, succeeded } from './pings.ts';
import { forEach } from './started.ts';
import type { Dispatcher } from './tools.ts';
import { commitWorkflow, completeWorkflow, findWorkflow, progressWorkflow } from './workflow.ts';

/** Asks every repository of a registry that is not archived for a sign of life, until all have answered. */
export class PingRegistry implements RegistryWorkflowActivity {
  readonly #bus: Dispatcher;

  constructor(bus: Dispatcher) {
    this.#bus = bus;
  }

  processRegistryWorkflowEvents(
    ctx: Context,
    registry: string,
    workflowId: Uuid,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome> {
    return eachTime(tail, events, async () => {
      const workflow = await findWorkflow(this.#bus, ctx, { registry, workflowId });
      if (workflow === undefined || workflow.state === 'finished') return true;
      if (workflow.outcome === null) {
        const outcome = await this.#outcome(ctx, workflow);
        if (outcome === undefined) return false;
        await completeWorkflow(this.#bus, ctx, workflow, outcome);
      }
      await commitWorkflow(this.#bus, ctx, workflow);
      return true;
    });
  }

  /** undefined: there are answers to come. */
  async #outcome(ctx: Context, workflow: Workflow): Promise<WorkOutcome | undefined> {
    if (workflow.isCanceling) return { kind: 'canceled' };
    const asked = askedOf(workflow);
    if (asked === undefined) {
      await this.#ask(ctx, workflow);
      return undefined;
    }
    const details = answersOf(workflow, asked);
    return details.missing.length === 0 ? succeeded(details) : undefined;
  }

  async #ask(ctx: Context, workflow: Workflow): Promise<void> {
    const archived = new Set<string>();
    const all = await repoIdsOf(this.#bus, ctx, workflow);
    await forEach(all, async (repoId) => {
      try {
        await this.#bus.dispatch(ctx, PingRepoCommand, { repoId: repoId as Uuid, workflowId: workflow.workflowId });
      } catch (error) {
        if (!isError(error, 'repos.archived')) throw error;
        archived.add(repoId);
      }
    });
    const repoIds = all.filter((repoId) => !archived.has(repoId));
    await progressWorkflow(this.#bus, ctx, workflow, askedStep, { repoIds });
  }
}
