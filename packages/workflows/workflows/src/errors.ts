import { DomainError } from '@samovar/errors';

/** The registry has no workflow of this id (workflows.notFound). */
export class WorkflowNotFoundError extends DomainError {
  constructor(registry: string, workflowId: string) {
    super('not_found', 'workflows.notFound', {
      publicMessage: `no workflow ${workflowId} in registry ${registry}: samovar workflow status lists those there are`,
      details: { registry, workflowId },
    });
  }
}

/** The id is that of another workflow of the registry (workflows.alreadyExists). */
export class WorkflowExistsError extends DomainError {
  constructor(registry: string, workflowId: string) {
    super('already_exists', 'workflows.alreadyExists', {
      publicMessage: `registry ${registry} has another workflow ${workflowId}: leave the id out to get one`,
      details: { registry, workflowId },
    });
  }
}

/** The workflow is not as far as that, or further (workflows.wrongState). */
export class WorkflowStateError extends DomainError {
  constructor(workflowId: string, state: string, wanted: string) {
    super('failed_precondition', 'workflows.wrongState', {
      publicMessage: `workflow ${workflowId} is ${state}: ${wanted}`,
      details: { workflowId, state },
    });
  }
}
