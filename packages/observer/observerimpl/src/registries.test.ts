import type { EntityKind } from '@samovar/activity';
import { type CancelScope, background as ctx, withCancel } from '@samovar/context';
import {
  AddRepoCommand,
  EnableEphemeralWorkflowsCommand,
  InitRegistryCommand,
  RemoveRepoCommand,
} from '@samovar/registry';
import { GetRepoQuery, RepoArchivedError, ScanRepoCommand, type Uuid } from '@samovar/repos';
import {
  BeginWorkflowCommand,
  DeleteWorkflowCommand,
  GetWorkflowQuery,
  ListWorkflowsQuery,
  type Work,
} from '@samovar/workflows';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { World } from '../testing.ts';
import { observeRegistries } from './registries.ts';

let world: World;
let ids: Uuid[];
let scope: CancelScope;
let observing: Promise<unknown>;

async function begin(): Promise<void> {
  world = new World();
  ids = await world.addRepos({ '/a': 1, '/b': 2 });
}

beforeEach(begin);
afterEach(stop);

async function start(kinds?: readonly EntityKind[]): Promise<void> {
  scope = withCancel(ctx);
  observing = Promise.allSettled([observeRegistries(scope.ctx, { ...world.tools, ...(kinds && { kinds }) })]);
  await world.settle();
}

async function stop(): Promise<void> {
  scope.cancel();
  await observing;
}

/** As after kill -9: what was stored is all that is left. */
async function restart(): Promise<void> {
  world.die();
  await stop();
  await world.restart();
  await start();
}

/** The activities of each repository that are started and not completed. */
const observed = () =>
  Map.groupBy(
    world.engine.activities().filter(({ state }) => state !== 'completed'),
    ({ activity: { entity } }) => (entity.kind === 'repo' ? entity.repoId : undefined),
  );
const activitiesOf = (repoId: Uuid | undefined) => (observed().get(repoId) ?? []).map(({ activity }) => activity.name);
const both = ['ObserveRepo', 'RescanRepo'];

it('has the repositories of a registry observed, from when they are added until they are removed', async () => {
  await start();
  for (const id of ids) expect(activitiesOf(id)).toEqual(both);
  expect(await world.bus.dispatch(ctx, GetRepoQuery, { repoId: ids[1] as Uuid })).toMatchObject({ commits: 2 });
  world.services.repos.addRepository('/c');
  const { repoId } = await world.bus.dispatch(ctx, AddRepoCommand, { path: '/c' });
  await world.settle();
  expect(activitiesOf(repoId)).toEqual(both);
  await world.bus.dispatch(ctx, RemoveRepoCommand, { repoId });
  await world.settle();
  expect(activitiesOf(repoId)).toEqual([]);
  await world.bus.dispatch(ctx, AddRepoCommand, { path: '/c' });
  await world.settle();
  expect(activitiesOf(repoId)).toEqual(both);
});

it('observes the same after a restart, although there is no news', async () => {
  await start();
  await world.bus.dispatch(ctx, RemoveRepoCommand, { repoId: ids[0] as Uuid });
  await world.settle();
  await restart();
  expect(activitiesOf(ids[0])).toEqual([]);
  expect(activitiesOf(ids[1])).toEqual(both);
});

const ping: Work = { type: 'PingRegistry', timeoutMs: 10_000 };
const archive = (): Work => ({ type: 'ArchiveRepo', repoId: ids[0] as Uuid });
const finished = (workflowId: Uuid) => world.bus.dispatch(ctx, GetWorkflowQuery, { workflowId });

it('carries out workflows, those begun before and those that come', async () => {
  const before = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: ping });
  await start();
  expect(await finished(before.workflowId)).toMatchObject({
    state: 'finished',
    outcome: { kind: 'succeeded', details: { answers: ids.map((repoId) => ({ repoId })), missing: [] } },
  });
  const { workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: archive() });
  await world.settle();
  expect(await finished(workflowId)).toMatchObject({ state: 'finished', outcome: { kind: 'succeeded' } });
  expect(activitiesOf(ids[0])).toEqual([]);
  expect(activitiesOf(ids[1])).toEqual(both);
  await expect(world.bus.dispatch(ctx, ScanRepoCommand, { repoId: ids[0] as Uuid })).rejects.toThrow(RepoArchivedError);
  const names = world.engine.activities().map(({ activity }) => activity.name);
  expect(names).not.toContain('PingRegistry');
  expect(names).not.toContain('PingTimer');
  expect(names).not.toContain('ArchiveRepo');
});

describe.each([
  ['before', true],
  ['after', false],
])('ends the same, killed %s any of its commands', (_, isBefore) => {
  it('while it carries out two workflows', async () => {
    for (let at = 0; ; at++) {
      await begin();
      world.killAt(at, isBefore);
      await start();
      const workflows = [ping, archive()].map((work) => world.bus.dispatch(ctx, BeginWorkflowCommand, { work }));
      const [pinged, archived] = await Promise.all(workflows);
      await world.settle();
      const isDead = world.isDead;
      if (isDead) {
        await restart();
      }
      expect(await finished(pinged?.workflowId as Uuid)).toMatchObject({
        state: 'finished',
        outcome: { kind: 'succeeded', details: { missing: [] } },
      });
      expect(await finished(archived?.workflowId as Uuid)).toMatchObject({ state: 'finished' });
      expect(activitiesOf(ids[0])).toEqual([]);
      expect(activitiesOf(ids[1])).toEqual(both);
      await stop();
      if (!isDead) {
        expect(at).toBeGreaterThan(20);
        return;
      }
    }
  }, 60_000);
});

it('deletes finished workflows when their time is over', async () => {
  await start();
  const { workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: ping });
  await world.settle();
  await world.bus.dispatch(ctx, EnableEphemeralWorkflowsCommand, { retentionSeconds: 60 });
  await world.settle();
  const left = async () => (await world.bus.dispatch(ctx, ListWorkflowsQuery, {})).length;
  expect(await left()).toBe(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  try {
    await world.settle();
    await world.engine.step();
  } finally {
    vi.useRealTimers();
  }
  expect(await left()).toBe(0);
  expect(world.bus.dispatched.filter(({ message }) => message === DeleteWorkflowCommand)).toContainEqual({
    message: DeleteWorkflowCommand,
    args: { registry: 'main', workflowId },
  });
});

it('erases what is left of a workflow that is not indexed any more', async () => {
  await start();
  const { workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: ping });
  await world.settle();
  await world.bus.dispatch(ctx, DeleteWorkflowCommand, { workflowId });
  await world.settle();
  const deletions = world.bus.dispatched.filter(({ message }) => message === DeleteWorkflowCommand);
  expect(deletions).toHaveLength(2);
  expect(world.engine.logger.lines).toEqual([]);
});

it('begins with every registry there is, and with each that comes, also when the signals were lost', async () => {
  await start();
  const registries = () =>
    world.engine
      .activities()
      .flatMap(({ activity: { entity, name } }) =>
        entity.kind === 'registryWorkflowIndex' && name === 'MendWorkflows' ? [entity.registry] : [],
      );
  const init = async (registry: string) => {
    await world.bus.dispatch(ctx, InitRegistryCommand, { registry });
    world.engine.events.append({ kind: 'registry', registry }, { type: 'registry.RegistryInitialized' });
  };
  await vi.waitFor(() => expect(registries()).toEqual(['main']));
  await init('other');
  await vi.waitFor(() => expect(registries()).toEqual(['main', 'other']));
  world.engine.events.disconnect();
  await init('third');
  await vi.waitFor(() => expect(registries()).toEqual(['main', 'other', 'third']));
  const lost = expect.stringMatching(/signals of registries are lost/);
  expect(world.engine.logger.lines).toMatchObject([{ level: 'warn', message: lost }]);
  await stop();
  expect(world.engine.activities()).toEqual([]);
});

it('starts only what is of the kinds that are wanted', async () => {
  const { workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: archive() });
  await start(['repoWorkflow']);
  expect(await finished(workflowId)).toMatchObject({ state: 'finished' });
  expect(world.engine.activities()).toEqual([]);
  await stop();
  await start(['repo']);
  const kinds = world.engine.activities().map(({ activity }) => activity.entity.kind);
  expect(new Set(kinds)).toEqual(new Set(['repo']));
});
