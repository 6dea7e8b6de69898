import { background } from '@samovar/context';
import { RegistryNotFoundError } from '@samovar/registry';
import { RepoArchivedError, RepoNotFoundError, Uuid } from '@samovar/repos';
import { Workflow, WorkflowExistsError, WorkflowNotFoundError } from '@samovar/workflows';
import { expect, it } from 'vitest';
import {
  archiveTea,
  beginOne,
  cocoa,
  coffee,
  finishOne,
  getOne,
  one,
  ping,
  tea,
  two,
  type UnderTest,
} from './neighbours.ts';

export function beginContract(underTest: UnderTest, archiveRepo: (repoId: Uuid) => void): void {
  it('begins work of each kind', async () => {
    const { workflows } = underTest();
    for (const work of [ping, archiveTea]) {
      const begun = await workflows.beginWorkflow(background, { work });
      const { workflowId, begunAt } = begun;
      const nothing = { isCanceling: false, progress: [], outcome: null, finishedAt: null };
      expect(begun).toEqual({ workflowId, registry: 'main', work, state: 'running', begunAt, ...nothing });
      expect(Workflow.parse(begun)).toEqual(begun);
      expect(await workflows.getWorkflow(background, { workflowId })).toEqual(begun);
    }
  });

  it('fills in how long there is to answer', async () => {
    const { workflows } = underTest();
    const begun = await workflows.beginWorkflow(background, { workflowId: one, work: { type: 'PingRegistry' } });
    expect(begun.work).toEqual(ping);
    expect(await beginOne(underTest(), ping)).toEqual(begun);
  });

  it('leaves one of the same id and work as it is', async () => {
    const { workflows } = underTest();
    const begun = await beginOne(underTest());
    expect(await beginOne(underTest())).toEqual(begun);
    await workflows.progressWorkflow(background, { workflowId: one, step: tea, details: {} });
    await finishOne(underTest());
    const finished = await getOne(underTest());
    expect(await beginOne(underTest())).toEqual(finished);
    expect(finished).toMatchObject({ state: 'finished', begunAt: begun.begunAt });
    expect(await workflows.listWorkflows(background, {})).toEqual([finished]);
  });

  it('leaves it also when the repository is archived by now', async () => {
    const begun = await beginOne(underTest(), archiveTea);
    archiveRepo(tea);
    expect(await beginOne(underTest(), archiveTea)).toEqual(begun);
    const another = underTest().workflows.beginWorkflow(background, { work: archiveTea });
    await expect(another).rejects.toThrow(RepoArchivedError);
  });

  it.each([[{ type: 'PingRegistry' as const, timeoutMs: 1 }], [archiveTea]])(
    'refuses the id of other work: %j',
    async (work) => {
      const begun = await beginOne(underTest());
      await expect(beginOne(underTest(), work)).rejects.toThrow(WorkflowExistsError);
      expect(await getOne(underTest())).toEqual(begun);
    },
  );

  it('begins one when asked for the same by many at once', async () => {
    const { workflows } = underTest();
    const begun = await Promise.all(Array.from({ length: 20 }, () => beginOne(underTest())));
    expect(begun).toEqual(begun.map(() => begun[0]));
    expect(await workflows.listWorkflows(background, {})).toEqual([begun[0]]);
  });

  it('begins one when asked for different work of one id at once', async () => {
    const { workflows } = underTest();
    const attempts = Array.from({ length: 10 }, (_, i) =>
      beginOne(underTest(), { type: 'PingRegistry', timeoutMs: i + 1 }),
    );
    const results = await Promise.allSettled(attempts);
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(await workflows.listWorkflows(background, {})).toEqual(won);
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(WorkflowExistsError);
    }
  });

  it('keeps registries apart', async () => {
    const { workflows } = underTest();
    const other: Workflow['work'] = { type: 'ArchiveRepo', repoId: coffee };
    const main = await beginOne(underTest());
    const begun = await workflows.beginWorkflow(background, { registry: 'other', workflowId: one, work: other });
    expect(await workflows.listWorkflows(background, { registry: 'other' })).toEqual([begun]);
    expect(await workflows.listWorkflows(background, {})).toEqual([main]);
    await workflows.beginWorkflow(background, { registry: 'other', workflowId: two, work: ping });
    await expect(workflows.getWorkflow(background, { workflowId: two })).rejects.toThrow(WorkflowNotFoundError);
  });

  it('lists the one begun last first', async () => {
    const { workflows } = underTest();
    expect(await workflows.listWorkflows(background, {})).toEqual([]);
    const begun: Workflow[] = [];
    for (const work of [ping, archiveTea, ping, ping]) {
      begun.unshift(await workflows.beginWorkflow(background, { work }));
    }
    expect(await workflows.listWorkflows(background, {})).toEqual(begun);
  });

  it.each([
    ['in no registry', { registry: 'nobody', work: ping }, RegistryNotFoundError],
    ['for no repository', { work: { type: 'ArchiveRepo' as const, repoId: Uuid.parse(one) } }, RepoNotFoundError],
    [
      'for a repository of another registry',
      { work: { type: 'ArchiveRepo' as const, repoId: coffee } },
      RepoNotFoundError,
    ],
    ['for an archived repository', { work: { type: 'ArchiveRepo' as const, repoId: cocoa } }, RepoArchivedError],
  ])('begins nothing %s', async (_, command, error) => {
    const { workflows } = underTest();
    await expect(workflows.beginWorkflow(background, command)).rejects.toThrow(error);
    for (const registry of ['main', 'other']) {
      expect(await workflows.listWorkflows(background, { registry })).toEqual([]);
    }
  });
}
