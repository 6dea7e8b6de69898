import { background as ctx } from '@samovar/context';
import { GetRepoQuery, MarkRepoArchivedCommand, PingRepoCommand, type Uuid } from '@samovar/repos';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  GetWorkflowQuery,
  ProgressWorkflowCommand,
  type Workflow,
} from '@samovar/workflows';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { World } from '../testing.ts';
import { PingRegistry } from './pingregistry.ts';
import { PingTimer } from './pingtimer.ts';

let world: World;
let ids: Uuid[];
let workflowId: Uuid;

async function begin(): Promise<void> {
  world = new World();
  ids = await world.addRepos({ '/a': 1, '/b': 2, '/c': 0 });
  const work = { type: 'PingRegistry', timeoutMs: 10_000 } as const;
  vi.setSystemTime(world.engine.clock.now());
  ({ workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work }));
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await begin();
});
afterEach(() => vi.useRealTimers());

const now = () => world.engine.clock.now();

async function start(): Promise<void> {
  const { bus } = world.tools;
  await world.engine.startRegistryWorkflowActivity(ctx, 'main', workflowId, new PingRegistry(bus));
}
const startTimer = () =>
  world.engine.startRegistryWorkflowActivity(ctx, 'main', workflowId, new PingTimer(world.tools.bus, now));
const workflow = (): Promise<Workflow> => world.bus.dispatch(ctx, GetWorkflowQuery, { workflowId });
const states = () => world.engine.activities().map(({ state }) => state);

async function answer(...repoIds: readonly Uuid[]): Promise<void> {
  for (const repoId of repoIds) {
    const { head, commits } = await world.bus.dispatch(ctx, GetRepoQuery, { repoId });
    await world.bus.dispatch(ctx, ProgressWorkflowCommand, { workflowId, step: repoId, details: { head, commits } });
  }
}

const answers = (...repoIds: readonly Uuid[]) => repoIds.map((repoId) => ({ repoId, head: null, commits: 0 }));

it('asks every repository once, and ends when all have answered', async () => {
  await start();
  await world.settle();
  const asked = () => world.bus.dispatched.filter(({ message }) => message === PingRepoCommand);
  expect(asked()).toHaveLength(3);
  await answer(ids[1] as Uuid, ids[0] as Uuid);
  await world.settle();
  expect((await workflow()).state).toBe('running');
  await answer(ids[2] as Uuid);
  await world.settle();
  expect(asked()).toHaveLength(3);
  expect(await workflow()).toMatchObject({
    state: 'finished',
    outcome: { kind: 'succeeded', details: { answers: answers(...ids), missing: [] } },
  });
  expect(states()).toEqual(['completed']);
});

it('does not ask what is archived, and ends at once where there is nobody to ask', async () => {
  for (const repoId of ids) {
    const archive = { path: '/x', bytes: 0, sha256: '0'.repeat(64) };
    await world.bus.dispatch(ctx, MarkRepoArchivedCommand, { repoId, archive });
  }
  await start();
  await world.settle();
  expect(await workflow()).toMatchObject({ state: 'finished', outcome: { details: { answers: [], missing: [] } } });
});

it('ends when it is canceled', async () => {
  await start();
  await world.settle();
  await world.bus.dispatch(ctx, CancelWorkflowCommand, { workflowId });
  await world.settle();
  expect(await workflow()).toMatchObject({ state: 'finished', outcome: { kind: 'canceled' } });
});

it('ends with the answers that have come when its time is over, not before', async () => {
  await start();
  await startTimer();
  await world.settle();
  await answer(ids[1] as Uuid);
  await world.settle();
  await world.engine.advance(9_999);
  expect((await workflow()).state).toBe('running');
  await world.engine.advance(1);
  await world.settle();
  expect(await workflow()).toMatchObject({
    state: 'finished',
    outcome: { kind: 'succeeded', details: { answers: answers(ids[1] as Uuid), missing: [ids[0], ids[2]] } },
  });
  expect(states()).toEqual(['completed', 'completed']);
  expect(world.engine.logger.lines).toEqual([]);
});

it('ends in time though it could not ask at all', async () => {
  await startTimer();
  await world.settle();
  await world.engine.advance(10_000);
  expect(await workflow()).toMatchObject({ state: 'finished', outcome: { details: { answers: [], missing: ids } } });
});

describe.each([
  ['before', true],
  ['after', false],
])('ends the same, killed %s any of its commands', (_, isBefore) => {
  it('while it asks or ends', async () => {
    for (let at = 0; ; at++) {
      await begin();
      world.killAt(at, isBefore);
      await start();
      await world.settle();
      await answer(...ids);
      await world.settle();
      if (!world.isDead) {
        expect(at).toBeGreaterThan(8);
        return;
      }
      await world.restart();
      await start();
      await world.settle();
      expect(await workflow()).toMatchObject({
        state: 'finished',
        outcome: { kind: 'succeeded', details: { answers: answers(...ids), missing: [] } },
      });
      expect(states()).toEqual(['completed']);
    }
  });

  it('while its time runs out', async () => {
    for (let at = 0; ; at++) {
      await begin();
      world.killAt(at, isBefore);
      await startTimer();
      await world.settle();
      await world.engine.advance(10_000);
      if (!world.isDead) return;
      await world.restart();
      await startTimer();
      await world.settle();
      await world.engine.advance(10_000);
      expect(await workflow()).toMatchObject({ state: 'finished', outcome: { details: { missing: ids } } });
    }
  });
});
