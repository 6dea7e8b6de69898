import { background, CanceledError, withCancel } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { RegistryNotFoundError } from '@samovar/registry';
import { WorkflowNotFoundError } from '@samovar/workflows';
import { expect, it } from 'vitest';
import { beginOne, getOne, one, ping, succeeded, type UnderTest } from './neighbours.ts';

const methods = [
  'beginWorkflow',
  'progressWorkflow',
  'completeWorkflow',
  'commitWorkflow',
  'cancelWorkflow',
  'deleteWorkflow',
  'getWorkflow',
  'listWorkflows',
] as const;
const ofOne = methods.slice(1, -1);

/** What each method needs, all right. */
const args = {
  beginWorkflow: { workflowId: one, work: ping },
  progressWorkflow: { workflowId: one, step: 'a', details: {} },
  completeWorkflow: { workflowId: one, outcome: succeeded },
  commitWorkflow: { workflowId: one },
  cancelWorkflow: { workflowId: one },
  deleteWorkflow: { workflowId: one },
  getWorkflow: { workflowId: one },
  listWorkflows: {},
};

let deep: unknown = 'tea';
for (let level = 0; level < 100_000; level++) deep = [deep];

export function refusalContract(underTest: UnderTest): void {
  const call = (method: (typeof methods)[number], args: unknown, ctx = background) =>
    underTest().workflows[method](ctx, args as never);

  it.each(methods)('%s refuses what its message does not allow', async (method) => {
    const right = args[method];
    const wrong: unknown[] = [undefined, null, 7, [], { ...right, registry: 7 }, { ...right, registry: '../main' }];
    for (const each of [...wrong, { ...right, more: true }]) {
      await expect(call(method, each)).rejects.toThrow(InvalidMessageError);
    }
  });

  it.each(ofOne)('%s refuses what is no id', async (method) => {
    for (const workflowId of [undefined, '', 'one', '>', '*', `${one} `, one.replace('4', 'g'), `${one}.${one}`]) {
      await expect(call(method, { ...args[method], workflowId })).rejects.toThrow(InvalidMessageError);
    }
  });

  it.each([
    ['beginWorkflow', { work: { type: 'BrewTea' } }],
    ['beginWorkflow', { work: { type: 'ArchiveRepo', repoId: '*' } }],
    ['beginWorkflow', { work: { type: 'PingRegistry', timeoutMs: 1.5 } }],
    ['progressWorkflow', { step: '' }],
    ['progressWorkflow', { step: 'x'.repeat(101) }],
    ['progressWorkflow', { details: { text: 'x'.repeat(1_000_000) } }],
    ['progressWorkflow', { details: { deep } }],
    ['completeWorkflow', { outcome: { kind: 'lost' } }],
    ['completeWorkflow', { outcome: { kind: 'failed', error: 'x'.repeat(4097) } }],
    ['completeWorkflow', { outcome: { kind: 'succeeded', details: { deep } } }],
  ] as const)('%s refuses hostile values, and is as before (%#)', async (method, values) => {
    const begun = await beginOne(underTest());
    await expect(call(method, { ...args[method], ...values })).rejects.toThrow(InvalidMessageError);
    expect(await getOne(underTest())).toEqual(begun);
  });

  it('keeps details of the size that is allowed', async () => {
    const { workflows } = underTest();
    await beginOne(underTest());
    const details = { text: 'é'.repeat(262_000), lone: '\ud800' };
    await workflows.progressWorkflow(background, { workflowId: one, step: 'a', details });
    expect((await getOne(underTest())).progress).toMatchObject([{ details }]);
  });

  it.each(ofOne.filter((method) => method !== 'deleteWorkflow'))('%s knows no other workflows', async (method) => {
    await expect(call(method, args[method])).rejects.toThrow(WorkflowNotFoundError);
    await expect(call(method, { ...args[method], registry: 'nobody' })).rejects.toThrow(WorkflowNotFoundError);
  });

  it('lists those of registries only', async () => {
    await expect(call('listWorkflows', { registry: 'nobody' })).rejects.toThrow(RegistryNotFoundError);
  });

  it.each(methods)('%s does nothing under a context that is done', async (method) => {
    const begun = await beginOne(underTest());
    using scope = withCancel(background);
    scope.cancel();
    await expect(call(method, args[method], scope.ctx)).rejects.toThrow(CanceledError);
    expect(await getOne(underTest())).toEqual(begun);
  });
}
