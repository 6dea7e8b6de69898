import { Bus } from '@samovar/bus';
import { Journals } from '@samovar/journal';
import { Initializer } from '@samovar/server';
import { Workflows } from '@samovar/workflows';
import { ContainerModule } from 'inversify';
import { WorkflowsHandlers } from './handlers.ts';
import { WorkflowsService } from './service.ts';
import { workflowFolding } from './workflow.ts';
import { indexFolding } from './workflowindex.ts';

/** Binds Workflows, and what answers its commands and queries on the bus. Needs Bus and Journals. */
export const workflowsModule = new ContainerModule(({ bind }) => {
  bind(Workflows)
    .toResolvedValue(
      (bus, journals) => new WorkflowsService(bus, journals.of(indexFolding), journals.of(workflowFolding)),
      [Bus, Journals],
    )
    .inSingletonScope();
  bind(Initializer)
    .toResolvedValue((bus, workflows) => new WorkflowsHandlers(bus, workflows), [Bus, Workflows])
    .inSingletonScope();
});
