import type { Bus } from '@samovar/bus';
import type { Initializer } from '@samovar/server';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  CommitWorkflowCommand,
  CompleteWorkflowCommand,
  DeleteWorkflowCommand,
  GetWorkflowQuery,
  ListWorkflowsQuery,
  ProgressWorkflowCommand,
  type Workflows,
} from '@samovar/workflows';

/** Answers every command and query of the root on the bus. */
export class WorkflowsHandlers implements Initializer {
  readonly #bus: Bus;
  readonly #workflows: Workflows;

  constructor(bus: Bus, workflows: Workflows) {
    this.#bus = bus;
    this.#workflows = workflows;
  }

  init(): void {
    const [bus, workflows] = [this.#bus, this.#workflows];
    bus.addHandler(BeginWorkflowCommand, (ctx, command) => workflows.beginWorkflow(ctx, command));
    bus.addHandler(ProgressWorkflowCommand, (ctx, command) => workflows.progressWorkflow(ctx, command));
    bus.addHandler(CompleteWorkflowCommand, (ctx, command) => workflows.completeWorkflow(ctx, command));
    bus.addHandler(CommitWorkflowCommand, (ctx, command) => workflows.commitWorkflow(ctx, command));
    bus.addHandler(CancelWorkflowCommand, (ctx, command) => workflows.cancelWorkflow(ctx, command));
    bus.addHandler(DeleteWorkflowCommand, (ctx, command) => workflows.deleteWorkflow(ctx, command));
    bus.addHandler(GetWorkflowQuery, (ctx, query) => workflows.getWorkflow(ctx, query));
    bus.addHandler(ListWorkflowsQuery, (ctx, query) => workflows.listWorkflows(ctx, query));
  }
}
