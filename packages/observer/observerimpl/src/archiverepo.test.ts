import { CanceledError, background as ctx } from '@samovar/context';
import {
  ArchiveFailedError,
  BundleRepoCommand,
  GetRepoQuery,
  MarkRepoArchivedCommand,
  NotARepositoryError,
  type Uuid,
} from '@samovar/repos';
import {
  BeginWorkflowCommand,
  CancelWorkflowCommand,
  CommitWorkflowCommand,
  CompleteWorkflowCommand,
  GetWorkflowQuery,
  type Workflow,
} from '@samovar/workflows';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { World } from '../testing.ts';
import { ArchiveRepo } from './archiverepo.ts';

let world: World;
let repoId: Uuid;
let workflowId: Uuid;

async function begin(): Promise<void> {
  world = new World();
  [repoId] = (await world.addRepos({ '/tea': 3 })) as [Uuid];
  ({ workflowId } = await world.bus.dispatch(ctx, BeginWorkflowCommand, { work: { type: 'ArchiveRepo', repoId } }));
}

beforeEach(begin);

const start = () =>
  world.engine.startRepoWorkflowActivity(ctx, repoId, workflowId, new ArchiveRepo(world.tools.bus, 'main'));
const workflow = (): Promise<Workflow> => world.bus.dispatch(ctx, GetWorkflowQuery, { workflowId });
const cancel = () => world.bus.dispatch(ctx, CancelWorkflowCommand, { workflowId });
const archive = async () => (await world.bus.dispatch(ctx, GetRepoQuery, { repoId })).archive;
const states = () => world.engine.activities().map(({ state }) => state);

async function expectArchived(): Promise<void> {
  const [bundle] = world.services.repos.bundles();
  expect(bundle).toBeDefined();
  expect(world.services.repos.bundles()).toHaveLength(1);
  expect(await archive()).toEqual(bundle);
  expect(await workflow()).toMatchObject({
    state: 'finished',
    progress: [{ step: 'bundled', details: bundle }],
    outcome: { kind: 'succeeded', details: bundle },
  });
  expect(states()).toEqual(['completed']);
}

async function expectCanceled(): Promise<void> {
  expect(world.services.repos.bundles()).toEqual([]);
  expect(await archive()).toBeNull();
  expect(await workflow()).toMatchObject({ state: 'finished', outcome: { kind: 'canceled' } });
  expect(states()).toEqual(['completed']);
}

it('bundles the repository, then marks it as archived', async () => {
  await start();
  await world.settle();
  await expectArchived();
});

it('leaves nothing behind when it is canceled', async () => {
  await cancel();
  await start();
  await world.settle();
  await expectCanceled();
});

describe.each([
  ['before', true],
  ['after', false],
])('ends the same, killed %s any of its commands', (_, isBefore) => {
  it.each([
    ['archiving', async () => {}, expectArchived],
    ['being canceled', cancel, expectCanceled],
  ])('while %s', async (_, prepare, expectEnd) => {
    for (let at = 0; ; at++) {
      await begin();
      await prepare();
      world.killAt(at, isBefore);
      await start();
      await world.settle();
      if (!world.isDead) {
        expect(at).toBeGreaterThan(4);
        return;
      }
      await world.restart();
      await start();
      await world.settle();
      await expectEnd();
    }
  });

  it('and canceled meanwhile: all or nothing is archived', async () => {
    const ends = new Set<string | undefined>();
    for (let at = 0; ; at++) {
      await begin();
      world.killAt(at, isBefore);
      await start();
      await world.settle();
      if (!world.isDead) break;
      await cancel();
      await world.restart();
      await start();
      await world.settle();
      const { outcome } = await workflow();
      ends.add(outcome?.kind);
      if (outcome?.kind === 'canceled') await expectCanceled();
      else await expectArchived();
    }
    expect(ends).toEqual(new Set(['canceled', 'succeeded']));
  });
});

it('fails for good where there is no repository any more', async () => {
  world.services.repos.failWith('/tea', new NotARepositoryError('/tea', 'it is gone'));
  await start();
  await world.settle();
  expect(await workflow()).toMatchObject({
    state: 'finished',
    outcome: { kind: 'failed', error: '/tea is not a git repository: it is gone' },
  });
  expect(await archive()).toBeNull();
});

it('fails where another bundle has archived the repository, and leaves that alone', async () => {
  const other = crypto.randomUUID() as Uuid;
  const bundle = await world.bus.dispatch(ctx, BundleRepoCommand, { repoId, workflowId: other });
  await world.bus.dispatch(ctx, MarkRepoArchivedCommand, { repoId, archive: bundle });
  await start();
  await world.settle();
  expect(await workflow()).toMatchObject({ state: 'finished', outcome: { kind: 'failed' } });
  expect(world.services.repos.bundles()).toEqual([bundle]);
  expect(await archive()).toEqual(bundle);
});

it('tries again where the archive cannot be written now', async () => {
  world.services.repos.failWith('/tea', new ArchiveFailedError('/archive', 'the disk is full'));
  await start();
  await world.settle();
  expect(states()).toEqual(['retrying']);
  expect((await workflow()).state).toBe('running');
  world.services.repos.failWith('/tea', undefined);
  await world.engine.advance(60_000);
  await expectArchived();
});

describe('while a bundle takes long', () => {
  /** Has bundling hang until it is canceled, and tells when it begins. */
  const hanging = (): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    world.bus.use((ctx, message, args, next) => {
      if (message !== BundleRepoCommand) return next(ctx, args);
      begun.resolve();
      return new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new CanceledError())));
    });
    return begun.promise;
  };
  /** Resolves when it hangs. */
  const startHanging = async () => {
    const begun = hanging();
    const archiving = new ArchiveRepo(world.tools.bus, 'main', 5);
    await world.engine.startRepoWorkflowActivity(ctx, repoId, workflowId, archiving);
    void world.engine.step();
    await begun;
  };

  it('is canceled in the midst of it', async () => {
    await startHanging();
    await cancel();
    await vi.waitFor(() => expect(states()).toEqual(['completed']));
    await expectCanceled();
  });

  it('gives up a workflow that is over', async () => {
    await startHanging();
    await world.bus.dispatch(ctx, CompleteWorkflowCommand, { workflowId, outcome: { kind: 'failed', error: 'x' } });
    await world.bus.dispatch(ctx, CommitWorkflowCommand, { workflowId });
    await vi.waitFor(() => expect(states()).toEqual(['completed']));
    expect(await workflow()).toMatchObject({ outcome: { kind: 'failed', error: 'x' } });
  });

  it('looks again where it could not see how the workflow is', async () => {
    let failures = 0;
    await startHanging();
    world.bus.use(async (ctx, message, args, next) => {
      if (message === GetWorkflowQuery && failures++ < 3) throw new Error('no answer');
      return await next(ctx, args);
    });
    await vi.waitFor(() => expect(failures).toBeGreaterThan(3));
    expect(states()).toEqual(['running']);
    await cancel();
    await vi.waitFor(() => expect(states()).toEqual(['completed']));
    await expectCanceled();
  });

  it('stops with its engine, and goes on in the next one', async () => {
    await startHanging();
    await world.engine.stop();
    expect(await workflow()).toMatchObject({ state: 'running', progress: [], outcome: null });
  });
});
