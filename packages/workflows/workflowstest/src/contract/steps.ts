import { background } from '@samovar/context';
import { Workflow, WorkflowStateError, type WorkOutcome } from '@samovar/workflows';
import { beforeEach, expect, it } from 'vitest';
import { archiveTea, beginOne, finishOne, getOne, one, succeeded, type UnderTest } from './neighbours.ts';

const progress = ({ workflows }: ReturnType<UnderTest>, step: string, details = {}) =>
  workflows.progressWorkflow(background, { workflowId: one, step, details });

const complete = ({ workflows }: ReturnType<UnderTest>, outcome: WorkOutcome) =>
  workflows.completeWorkflow(background, { workflowId: one, outcome });

export function stepContract(underTest: UnderTest): void {
  beforeEach(async () => {
    await beginOne(underTest(), archiveTea);
  });

  it('goes on in steps, each done once, and ends', async () => {
    const begun = await getOne(underTest());
    await progress(underTest(), 'bundled', { bytes: 1 });
    await progress(underTest(), 'verified', { by: ['git', { version: 2 }], at: null });
    await progress(underTest(), 'bundled', { bytes: 2 });
    const running = await getOne(underTest());
    const [at, later] = running.progress.map((done) => done.at);
    const steps = [
      { step: 'bundled', details: { bytes: 1 }, at },
      { step: 'verified', details: { by: ['git', { version: 2 }], at: null }, at: later },
    ];
    expect(running).toEqual({ ...begun, progress: steps });

    const completed = await complete(underTest(), succeeded);
    expect(completed).toEqual({ ...running, state: 'completed', outcome: succeeded });
    expect(await getOne(underTest())).toEqual(completed);

    await underTest().workflows.commitWorkflow(background, { workflowId: one });
    const finished = await getOne(underTest());
    expect(finished).toEqual({ ...completed, state: 'finished', finishedAt: expect.any(String) });
    expect(Workflow.parse(finished)).toEqual(finished);
    expect(await underTest().workflows.listWorkflows(background, {})).toEqual([finished]);
  });

  it.each<WorkOutcome>([succeeded, { kind: 'failed', error: 'no room left' }, { kind: 'canceled' }])(
    'ends with %j, and then with nothing else',
    async (outcome) => {
      const completed = await complete(underTest(), outcome);
      expect(completed).toMatchObject({ state: 'completed', outcome });
      expect(await complete(underTest(), { kind: 'failed', error: 'too late' })).toEqual(completed);
      await finishOne(underTest());
      const finished = await getOne(underTest());
      expect(finished).toMatchObject({ state: 'finished', outcome });
      expect(await complete(underTest(), { kind: 'canceled' })).toEqual(finished);
      expect(await getOne(underTest())).toEqual(finished);
    },
  );

  it('takes no new steps when it is completed, and forgives those it knows', async () => {
    await progress(underTest(), 'bundled');
    const completed = await complete(underTest(), succeeded);
    await progress(underTest(), 'bundled', { other: true });
    await expect(progress(underTest(), 'verified')).rejects.toThrow(WorkflowStateError);
    expect(await getOne(underTest())).toEqual(completed);
    await finishOne(underTest());
    await expect(progress(underTest(), 'verified')).rejects.toThrow('is finished');
  });

  it('is committed after it is completed, once', async () => {
    const { workflows } = underTest();
    const commit = () => workflows.commitWorkflow(background, { workflowId: one });
    await expect(commit()).rejects.toThrow(WorkflowStateError);
    await complete(underTest(), succeeded);
    await commit();
    const finished = await getOne(underTest());
    await commit();
    expect(await getOne(underTest())).toEqual(finished);
  });

  it('runs on while it is asked to end, until it is completed', async () => {
    const { workflows } = underTest();
    const begun = await getOne(underTest());
    const cancel = () => workflows.cancelWorkflow(background, { workflowId: one });
    await cancel();
    await cancel();
    expect(await getOne(underTest())).toEqual({ ...begun, isCanceling: true });
    await progress(underTest(), 'discarded');
    const canceled = await complete(underTest(), { kind: 'canceled' });
    expect(canceled).toMatchObject({ state: 'completed', outcome: { kind: 'canceled' }, isCanceling: true });
    await cancel();
    expect(await getOne(underTest())).toEqual(canceled);
  });

  it('is not asked to end when it is completed', async () => {
    const { workflows } = underTest();
    const completed = await complete(underTest(), succeeded);
    await workflows.cancelWorkflow(background, { workflowId: one });
    expect(await getOne(underTest())).toEqual(completed);
    expect(completed.isCanceling).toBe(false);
  });

  it('has one outcome of many at once, and tells all of that', async () => {
    const outcomes = Array.from({ length: 20 }, (_, i) => ({ kind: 'failed' as const, error: `of ${i}` }));
    const completed = await Promise.all(outcomes.map((outcome) => complete(underTest(), outcome)));
    expect(outcomes).toContainEqual(completed[0]?.outcome);
    expect(completed).toEqual(completed.map(() => completed[0]));
    expect(await getOne(underTest())).toEqual(completed[0]);
  });

  it('has one outcome whether it is asked to end meanwhile or not', async () => {
    const { workflows } = underTest();
    const cancel = () => workflows.cancelWorkflow(background, { workflowId: one });
    const calls = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? cancel() : complete(underTest(), succeeded)));
    await Promise.all(calls);
    expect(await getOne(underTest())).toMatchObject({ state: 'completed', outcome: succeeded });
  });

  it('has each step once of many at once', async () => {
    const steps = Array.from({ length: 30 }, (_, i) => `step ${i % 10}`);
    await Promise.all(steps.map((step, i) => progress(underTest(), step, { i })));
    const done = (await getOne(underTest())).progress.map(({ step }) => step);
    expect(done.toSorted()).toEqual([...new Set(steps)]);
  });
}
