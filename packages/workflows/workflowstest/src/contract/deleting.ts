import { background } from '@samovar/context';
import { RegistryNotFoundError } from '@samovar/registry';
import { WorkflowNotFoundError, WorkflowStateError } from '@samovar/workflows';
import { expect, it } from 'vitest';
import { archiveTea, beginOne, finishOne, getOne, one, ping, succeeded, two, type UnderTest } from './neighbours.ts';

export function deleteContract(underTest: UnderTest): void {
  const deleteOne = () => underTest().workflows.deleteWorkflow(background, { workflowId: one });

  it.each([ping, archiveTea])('removes a finished workflow: %j', async (work) => {
    const { workflows } = underTest();
    await beginOne(underTest(), work);
    const kept = await workflows.beginWorkflow(background, { workflowId: two, work });
    await finishOne(underTest());
    await deleteOne();
    await expect(getOne(underTest())).rejects.toThrow(WorkflowNotFoundError);
    expect(await workflows.listWorkflows(background, {})).toEqual([kept]);
    await deleteOne();
    expect(await workflows.getWorkflow(background, { workflowId: two })).toEqual(kept);
  });

  it('refuses one that is not finished', async () => {
    const { workflows } = underTest();
    await beginOne(underTest());
    await expect(deleteOne()).rejects.toThrow(WorkflowStateError);
    await workflows.cancelWorkflow(background, { workflowId: one });
    await expect(deleteOne()).rejects.toThrow('is running');
    const completed = await workflows.completeWorkflow(background, { workflowId: one, outcome: succeeded });
    await expect(deleteOne()).rejects.toThrow('is completed');
    expect(await getOne(underTest())).toEqual(completed);
  });

  it('changes nothing where there is none, and needs the registry', async () => {
    const { workflows } = underTest();
    await deleteOne();
    expect(await workflows.listWorkflows(background, {})).toEqual([]);
    const elsewhere = workflows.deleteWorkflow(background, { registry: 'nobody', workflowId: one });
    await expect(elsewhere).rejects.toThrow(RegistryNotFoundError);
  });

  it('is done once by many at once', async () => {
    const { workflows } = underTest();
    await beginOne(underTest());
    await finishOne(underTest());
    await Promise.all(Array.from({ length: 20 }, deleteOne));
    expect(await workflows.listWorkflows(background, {})).toEqual([]);
  });

  it('leaves nothing to a workflow of the same id, whatever that does', async () => {
    const { workflows } = underTest();
    for (const work of [ping, archiveTea, ping, ping]) {
      const begun = await beginOne(underTest(), work);
      expect(begun).toMatchObject({ work, state: 'running', progress: [], outcome: null, isCanceling: false });
      await workflows.progressWorkflow(background, { workflowId: one, step: 'a', details: {} });
      await workflows.cancelWorkflow(background, { workflowId: one });
      await finishOne(underTest());
      await deleteOne();
    }
    await beginOne(underTest(), ping);
    expect(await workflows.listWorkflows(background, {})).toEqual([await getOne(underTest())]);
  });
}
