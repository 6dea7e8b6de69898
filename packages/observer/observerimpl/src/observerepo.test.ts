import { background as ctx } from '@samovar/context';
import {
  MarkRepoArchivedCommand,
  PingRepoCommand,
  RepoUnreadableError,
  ScanRepoCommand,
  type Uuid,
} from '@samovar/repos';
import {
  BeginWorkflowCommand,
  CompleteWorkflowCommand,
  GetWorkflowQuery,
  ProgressWorkflowCommand,
} from '@samovar/workflows';
import pLimit from 'p-limit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { World } from '../testing.ts';
import { ObservedRepo } from './observed.ts';
import { ObserveRepo } from './observerepo.ts';
import { RescanRepo } from './rescanrepo.ts';
import { Scans } from './scans.ts';

let world: World;
let repoId: Uuid;
let repo: ObservedRepo;

beforeEach(async () => {
  world = new World();
  [repoId] = (await world.addRepos({ '/tea': 2 })) as [Uuid];
  await open();
});
afterEach(() => repo[Symbol.asyncDispose]());

async function open(): Promise<void> {
  await repo?.[Symbol.asyncDispose]();
  const { bus, logger } = world.tools;
  repo = new ObservedRepo({ repoId, path: '/tea' }, new Scans(bus, logger), logger, () => {});
}

const observe = () => world.engine.startRepoActivity(ctx, repoId, new ObserveRepo(world.tools.bus, repo, pLimit(1)));
const rescan = () => world.engine.startRepoActivity(ctx, repoId, new RescanRepo(repo, pLimit(1)));
const count = (message: unknown) => world.bus.dispatched.filter((dispatched) => dispatched.message === message).length;
const states = () => world.engine.activities().map(({ state }) => state);
const begin = () => world.bus.dispatch(ctx, BeginWorkflowCommand, { work: { type: 'PingRegistry' } });
const progressOf = async (workflowId: Uuid) =>
  (await world.bus.dispatch(ctx, GetWorkflowQuery, { workflowId })).progress;

it('scans when it is woken without news, but not for what was recorded', async () => {
  await observe();
  await world.engine.step();
  expect(count(ScanRepoCommand)).toBe(1);
  world.engine.events.append({ kind: 'repo', repoId }, { type: 'repos.CommitsRecorded' });
  await world.engine.step();
  expect(count(ScanRepoCommand)).toBe(1);
});

it('scans for a change that comes at the same time as news', async () => {
  await observe();
  await world.engine.step();
  repo.changed();
  await expect.poll(() => repo.isChanged).toBe(true);
  world.engine.events.append({ kind: 'repo', repoId }, { type: 'repos.CommitsRecorded' });
  await world.engine.step();
  expect(count(ScanRepoCommand)).toBe(2);
  expect(repo.isChanged).toBe(false);
});

it('answers each ping with what is recorded, wherever it was killed before', async () => {
  await world.bus.dispatch(ctx, ScanRepoCommand, { repoId });
  for (const isBefore of [true, false]) {
    for (let at = 0; ; at++) {
      const { workflowId } = await begin();
      await world.bus.dispatch(ctx, PingRepoCommand, { repoId, workflowId });
      world.killAt(at, isBefore);
      await observe();
      await world.engine.step();
      const isDead = world.isDead;
      await world.restart();
      await open();
      await observe();
      await world.engine.step();
      expect(await progressOf(workflowId)).toMatchObject([{ step: repoId, details: { commits: 2 } }]);
      await world.restart();
      if (isDead) continue;
      expect(at).toBeGreaterThan(1);
      break;
    }
  }
});

it('does not mind that nobody waits for its answer any more', async () => {
  const { workflowId } = await begin();
  await world.bus.dispatch(ctx, PingRepoCommand, { repoId, workflowId });
  await world.bus.dispatch(ctx, CompleteWorkflowCommand, { workflowId, outcome: { kind: 'canceled' } });
  await observe();
  expect(await world.engine.step()).toMatchObject([{ state: 'sleeping', attempts: 0 }]);
  expect(count(ProgressWorkflowCommand)).toBe(1);
  expect(world.engine.logger.lines).toEqual([]);
});

it('is through for good when the repository is archived, and so is the rescan', async () => {
  await observe();
  await rescan();
  const archive = { path: '/x', bytes: 0, sha256: '0'.repeat(64) };
  await world.bus.dispatch(ctx, MarkRepoArchivedCommand, { repoId, archive });
  await world.engine.step();
  expect(states()).toEqual(['completed', 'completed']);
  const scans = count(ScanRepoCommand);
  await world.restart();
  await open();
  await observe();
  await rescan();
  await world.engine.step();
  expect(states()).toEqual(['completed', 'completed']);
  expect(count(ScanRepoCommand)).toBe(scans);
});

it('tells once that a repository cannot be recorded, tries on quietly, and tells when it can again', async () => {
  await rescan();
  await observe();
  const told = () => world.engine.logger.lines.map(({ level, message, fields }) => [level, message, fields.path]);
  world.services.repos.failWith('/tea', new RepoUnreadableError('/tea', 'an object is missing'));
  for (let i = 0; i < 3; i++) await world.engine.step();
  expect(told()).toEqual([['warn', 'a repository cannot be recorded', '/tea']]);
  expect(states()).toEqual(['sleeping', 'sleeping']);
  world.services.repos.failWith('/tea', new RepoUnreadableError('/tea', 'another one, too'));
  await world.engine.step();
  expect(told()).toHaveLength(2);
  world.services.repos.failWith('/tea', undefined);
  for (let i = 0; i < 3; i++) await world.engine.step();
  expect(told().slice(2)).toEqual([['info', 'a repository can be recorded again', '/tea']]);
});

it('keeps what it is through with when a later ping cannot be answered now', async () => {
  const first = await begin();
  const second = await begin();
  for (const { workflowId } of [first, second]) {
    await world.bus.dispatch(ctx, PingRepoCommand, { repoId, workflowId });
  }
  world.bus.use((ctx, message, args, next) => {
    const isSecond =
      message === ProgressWorkflowCommand && (args as { workflowId: Uuid }).workflowId === second.workflowId;
    return isSecond ? Promise.reject(new Error('no connection')) : next(ctx, args);
  });
  await observe();
  const [status] = await world.engine.step();
  expect(status).toMatchObject({
    state: 'retrying',
    tail: expect.any(String),
    lastError: { message: 'no connection' },
  });
  expect(await progressOf(first.workflowId)).toHaveLength(1);
});
