import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { GetRegistryQuery } from '@samovar/registry';
import { BeginWorkflowCommand, ListWorkflowsQuery } from '@samovar/workflows';
import { expect, it } from 'vitest';
import { workflowsContract } from './contract.ts';
import { FakeWorkflows } from './fake.ts';

workflowsContract('FakeWorkflows', async () => {
  const bus = new FakeBus();
  return { bus, workflows: new FakeWorkflows(bus), [Symbol.asyncDispose]: async () => {} };
});

it('answers on its bus', async () => {
  const bus = new FakeBus();
  new FakeWorkflows(bus);
  bus.addHandler(GetRegistryQuery, () => ({ registry: 'main', repos: 0, ephemeralWorkflows: null }));
  const workflow = await bus.dispatch(background, BeginWorkflowCommand, { work: { type: 'PingRegistry' } });
  expect(await bus.dispatch(background, ListWorkflowsQuery, {})).toEqual([workflow]);
  expect(bus.catalogue().filter(({ message }) => message.name.startsWith('workflows.'))).toHaveLength(8);
});
