import {
  ActivityAlreadyStartedError,
  EngineStoppedError,
  InvalidActivityError,
  type RepoActivity,
} from '@samovar/activity';
import { CanceledError, background as ctx, withCancel } from '@samovar/context';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { type Bench, endOf, otherRepo, repo, start } from './bench.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');

class TeaMaking implements RepoActivity {
  processRepoEvents: RepoActivity['processRepoEvents'] = (ctx, _, tail, events) => endOf(ctx, tail, events);
}

const teaPouring: RepoActivity['processRepoEvents'] = (ctx, _, tail, events) => endOf(ctx, tail, events);

/** What starting an activity promises. */
export function starting(bench: () => Bench): void {
  const newEngine = () => bench().engine(new FakeLeases());

  it.each([
    ['its class', new TeaMaking(), 'TeaMaking'],
    ['its function', teaPouring, 'teaPouring'],
  ])('an activity that is named after %s', async (_, activity, name) => {
    const handle = await newEngine().startRepoActivity(ctx, repoId, activity);
    expect(handle.activity).toEqual({ entity: repo, name });
  });

  it('several of one entity, by other names, and lists them in the order of their starts', async () => {
    const engine = newEngine();
    await start(engine, otherRepo, endOf, { name: 'b' });
    await start(engine, repo, endOf, { name: 'c' });
    const handle = await start(engine, otherRepo, endOf, { name: 'a' });
    expect(engine.activities().map(({ activity }) => activity.name)).toEqual(['b', 'c', 'a']);
    await handle.stop();
    expect(engine.activities().map(({ activity }) => activity.name)).toEqual(['b', 'c']);
  });

  it('none twice, until it was stopped', async () => {
    const engine = newEngine();
    const handle = await start(engine, repo, endOf);
    await expect(start(engine, repo, endOf)).rejects.toThrow(ActivityAlreadyStartedError);
    await handle.stop();
    await start(engine, repo, endOf);
  });

  it.each([
    ['name', () => newEngine().startRepoActivity(ctx, repoId, teaPouring, { name: 'a cup' })],
    ['name', () => newEngine().startRepoActivity(ctx, repoId, teaPouring, { name: '' })],
    ['name', () => newEngine().startRepoActivity(ctx, repoId, teaPouring, { name: 'a'.repeat(101) })],
    ['name', () => newEngine().startRepoActivity(ctx, repoId, (...args) => teaPouring(...args))],
    ['name', () => newEngine().startRepoActivity(ctx, repoId, { processRepoEvents: teaPouring })],
    ['activity', () => newEngine().startRepoActivity(ctx, repoId, {} as RepoActivity)],
    ['activity', () => newEngine().startRepoActivity(ctx, repoId, undefined as unknown as RepoActivity)],
    ['repoId', () => newEngine().startRepoActivity(ctx, 'one' as Uuid, teaPouring)],
    ['registry', () => start(newEngine(), { kind: 'registry', registry: 'a.b' }, endOf)],
    ['registry', () => start(newEngine(), { kind: 'registryWorkflowIndex', registry: '' }, endOf)],
    ['workflowId', () => start(newEngine(), { kind: 'repoWorkflow', repoId, workflowId: '*' as Uuid }, endOf)],
  ])('nothing with a wrong %s', async (field, starting) => {
    const started = starting();
    await expect(started).rejects.toThrow(InvalidActivityError);
    await expect(started).rejects.toMatchObject({ details: { field } });
  });

  it('nothing any more once it was stopped', async () => {
    const engine = newEngine();
    await engine.stop();
    await expect(start(engine, repo, endOf)).rejects.toThrow(EngineStoppedError);
  });

  it('nothing for a context that is done', async () => {
    const engine = newEngine();
    const scope = withCancel(ctx);
    const starting = start(engine, repo, endOf, { name: 'tea' }, scope.ctx);
    scope.cancel();
    await expect(starting).rejects.toThrow(CanceledError);
    await expect(start(engine, repo, endOf, { name: 'tea' }, scope.ctx)).rejects.toThrow(CanceledError);
    expect(engine.activities()).toEqual([]);
    await start(engine, repo, endOf);
  });
}
