import { type ActivityEngine, type Engines, type EntityRef, endOfStream, retry } from '@samovar/activity';
import { FakeEntityEvents, StepEngine } from '@samovar/activitytest';
import { background as ctx, withCancel } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { InvalidMessageError } from '@samovar/message';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { Reports } from './reports.ts';

const repoId = Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001');
const repo: EntityRef = { kind: 'repo', repoId };
const registry: EntityRef = { kind: 'registry', registry: 'main' };

function enginesOf(lazy: StepEngine): Engines {
  const none: Pick<ActivityEngine, 'activities'> = { activities: () => [] };
  return { lazy, eager: none as ActivityEngine, cron: none as ActivityEngine, signal() {} };
}

const poured = (count: number) => Array.from({ length: count }, () => ({ type: 'Poured' }));

it('tells how far each activity is, what it has failed with, and when it is run next', async () => {
  await using engine = new StepEngine();
  const reports = new Reports(enginesOf(engine), engine.events);
  const [, second] = engine.events.append(repo, ...poured(5));
  await engine.startRepoActivity(ctx, repoId, async () => endOfStream(second ?? null), { name: 'slow' });
  const failing = async () => retry(null, new DomainError('unavailable', 'kettle.cold', { publicMessage: 'cold' }));
  await engine.startRegistryActivity(ctx, 'main', failing, { name: 'failing' });
  await engine.step();
  const { activities, total } = await reports.listActivities(ctx, { limit: 100 });
  expect(total).toBe(2);
  expect(activities).toEqual([
    expect.objectContaining({ name: 'slow', tail: second, lag: 3, attempts: 0, lastError: null, nextRun: null }),
    expect.objectContaining({
      name: 'failing',
      stream: 'registry.main',
      state: 'retrying',
      lag: 0,
      attempts: 1,
      lastError: 'cold',
      nextRun: expect.stringMatching(/^2026-01-01T00:00:00/),
    }),
  ]);
  expect(await reports.listActivities(ctx, { kind: 'registry', limit: 100 })).toEqual({
    activities: [activities[1]],
    total: 1,
  });
  expect(await reports.listActivities(ctx, { limit: 1 })).toEqual({ activities: [activities[1]], total: 2 });
});

it('counts a lag up to a thousand', async () => {
  await using engine = new StepEngine();
  engine.events.append(registry, ...poured(1_001));
  await engine.startRegistryActivity(ctx, 'main', async () => endOfStream(null), { name: 'far' });
  const reports = new Reports(enginesOf(engine), engine.events);
  expect((await reports.listActivities(ctx, { limit: 1 })).activities).toMatchObject([{ lag: 1_000 }]);
});

it('refuses what the query does not allow, and ends with its context', async () => {
  await using engine = new StepEngine();
  await engine.startRegistryActivity(ctx, 'main', async () => endOfStream(null), { name: 'far' });
  const reports = new Reports(enginesOf(engine), new FakeEntityEvents());
  await expect(reports.listActivities(ctx, { limit: 0 })).rejects.toThrow(InvalidMessageError);
  using scope = withCancel(ctx);
  scope.cancel();
  await expect(reports.listActivities(scope.ctx, { limit: 1 })).rejects.toThrow('canceled');
});
