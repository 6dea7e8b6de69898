import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Journals } from '@samovar/journal';
import { FakeJournals } from '@samovar/journaltest';
import { Initializer } from '@samovar/server';
import { Workflows } from '@samovar/workflows';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { workflowsModule } from './module.ts';
import { WorkflowsService } from './service.ts';

it('binds Workflows, and has its messages answered on the bus', async () => {
  const bus = new FakeBus();
  const container = new Container();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Journals).toConstantValue(new FakeJournals());
  container.load(workflowsModule);
  expect(container.get(Workflows)).toBeInstanceOf(WorkflowsService);
  expect(container.get(Workflows)).toBe(container.get(Workflows));
  for (const initializer of container.getAll(Initializer)) await initializer.init();
  const handled = bus.catalogue().map(({ message }) => message.name);
  expect(handled).toEqual([
    'workflows.BeginWorkflowCommand',
    'workflows.CancelWorkflowCommand',
    'workflows.CommitWorkflowCommand',
    'workflows.CompleteWorkflowCommand',
    'workflows.DeleteWorkflowCommand',
    'workflows.GetWorkflowQuery',
    'workflows.ListWorkflowsQuery',
    'workflows.ProgressWorkflowCommand',
  ]);
});
