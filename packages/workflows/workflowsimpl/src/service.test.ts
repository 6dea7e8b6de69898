import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { type Conn, newEvent } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { EdaJournal } from '@samovar/journalimpl';
import { GetRegistryQuery } from '@samovar/registry';
import { GetRepoQuery, Uuid } from '@samovar/repos';
import {
  type Work,
  WorkflowBegun,
  WorkflowCancelRequested,
  WorkflowCommitted,
  WorkflowCompleted,
  WorkflowErased,
  WorkflowIndexed,
  WorkflowNotFoundError,
  WorkflowProgressed,
  WorkflowStateError,
  WorkflowUnindexed,
  workflowIndexStream,
  workflowStream,
} from '@samovar/workflows';
import { describe, expect, it, vi } from 'vitest';
import { WorkflowsService } from './service.ts';
import { workflowFolding } from './workflow.ts';
import { indexFolding } from './workflowindex.ts';

function serve(bus: FakeBus, conn: Conn): WorkflowsService {
  return new WorkflowsService(bus, new EdaJournal(conn, indexFolding), new EdaJournal(conn, workflowFolding));
}

const workflowId = Uuid.parse('00000000-0000-4000-8000-000000000001');
const repoId = Uuid.parse('00000000-0000-4000-8000-00000000000a');
const ping: Work = { type: 'PingRegistry', timeoutMs: 10_000 };
const archiveRepo: Work = { type: 'ArchiveRepo', repoId };
const succeeded = { kind: 'succeeded' as const, details: {} };

/** With one registry and one repository. */
async function start() {
  const conn = await connect('memory:', { logger: null });
  const bus = new FakeBus();
  bus.addHandler(GetRegistryQuery, () => ({ registry: 'main', repos: 1, ephemeralWorkflows: null }));
  const repo = { repoId, registry: 'main', name: 'tea', path: '/tea', head: null, commits: 0, archive: null };
  bus.addHandler(GetRepoQuery, () => repo);
  return {
    conn,
    workflows: serve(bus, conn),
    [Symbol.asyncDispose]: () => conn.close(),
    /** Another process on the same log. */
    another: () => serve(bus, conn),
    /** The events of a stream: their types and data. */
    events: async (stream: string) => {
      const events: unknown[] = [];
      for await (const { type, data } of conn.read(background, stream)) events.push([type, data.json()]);
      return events;
    },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

async function finish({ workflows }: Started): Promise<void> {
  await workflows.completeWorkflow(background, { workflowId, outcome: succeeded });
  await workflows.commitWorkflow(background, { workflowId });
}

describe.each([
  ['PingRegistry', ping],
  ['ArchiveRepo', archiveRepo],
])('streams of %s', (_, work) => {
  const of = { registry: 'main', workflowId, work };
  const [indexStream, ownStream] = [workflowIndexStream('main'), workflowStream('main', workflowId, work)];

  it('tell all, as the root defines it', async () => {
    await using started = await start();
    const { workflows, events } = started;
    await workflows.beginWorkflow(background, { workflowId, work });
    await workflows.progressWorkflow(background, { workflowId, step: 'a', details: { n: 1 } });
    await workflows.cancelWorkflow(background, { workflowId });
    await finish(started);
    const own = [
      [WorkflowBegun, of],
      [WorkflowProgressed, { ...of, step: 'a', details: { n: 1 } }],
      [WorkflowCancelRequested, of],
      [WorkflowCompleted, { ...of, outcome: succeeded }],
      [WorkflowCommitted, of],
    ] as const;
    expect(await events(ownStream)).toEqual(own.map(([{ name }, data]) => [name, data]));
    for (const [event, data] of own) expect(event.parse(data)).toEqual(data);

    await workflows.deleteWorkflow(background, { workflowId });
    await workflows.deleteWorkflow(background, { workflowId });
    expect(await events(ownStream)).toEqual([]);
    const indexed = [WorkflowIndexed, WorkflowUnindexed, WorkflowErased];
    expect(await events(indexStream)).toEqual(indexed.map(({ name }) => [name, of]));
  });

  it('tell nothing twice', async () => {
    await using started = await start();
    const { workflows, events } = started;
    const twice = async (change: () => Promise<unknown>) => {
      await change();
      const [index, own] = [await events(indexStream), await events(ownStream)];
      await change();
      expect([await events(indexStream), await events(ownStream)]).toEqual([index, own]);
    };
    await twice(() => workflows.beginWorkflow(background, { workflowId, work }));
    await twice(() => workflows.progressWorkflow(background, { workflowId, step: 'a', details: {} }));
    await twice(() => workflows.cancelWorkflow(background, { workflowId }));
    await twice(() => workflows.completeWorkflow(background, { workflowId, outcome: succeeded }));
    await twice(() => workflows.commitWorkflow(background, { workflowId }));
    await twice(() => workflows.deleteWorkflow(background, { workflowId }));
  });
});

describe('a workflow that is indexed, and has not begun', () => {
  const of = { registry: 'main', workflowId, work: archiveRepo };
  const time = new Date('2001-02-03T04:05:06.789Z');
  const ownStream = workflowStream('main', workflowId, archiveRepo);
  const running = { ...of, state: 'running', begunAt: time.toISOString(), progress: [], outcome: null };

  async function indexed() {
    const started = await start();
    await started.conn.publish(background, workflowIndexStream('main'), { ...newEvent(WorkflowIndexed, of), time });
    return started;
  }

  it('is there already', async () => {
    await using started = await indexed();
    const { workflows, events } = started;
    expect(await workflows.getWorkflow(background, { workflowId })).toMatchObject(running);
    expect(await workflows.listWorkflows(background, {})).toMatchObject([running]);
    await expect(workflows.deleteWorkflow(background, { workflowId })).rejects.toThrow(WorkflowStateError);
    expect(await events(ownStream)).toEqual([]);
  });

  it('begins when that is asked for again, and is the same', async () => {
    await using started = await indexed();
    const { workflows, events } = started;
    const before = await workflows.getWorkflow(background, { workflowId });
    const begun = await Promise.all(
      [workflows, started.another(), workflows].map((each) =>
        each.beginWorkflow(background, { workflowId, work: archiveRepo }),
      ),
    );
    expect(begun).toEqual([before, before, before]);
    expect(await events(ownStream)).toEqual([[WorkflowBegun.name, of]]);
    expect(await events(workflowIndexStream('main'))).toHaveLength(1);
  });

  it.each<[string, (workflows: WorkflowsService) => Promise<unknown>, readonly string[]]>([
    [
      'goes on',
      (workflows) => workflows.progressWorkflow(background, { workflowId, step: 'a', details: {} }),
      [WorkflowProgressed.name],
    ],
    [
      'completes',
      (workflows) => workflows.completeWorkflow(background, { workflowId, outcome: succeeded }),
      [WorkflowCompleted.name],
    ],
    [
      'is asked to end',
      (workflows) => workflows.cancelWorkflow(background, { workflowId }),
      [WorkflowCancelRequested.name],
    ],
    ['is committed', (workflows) => workflows.commitWorkflow(background, { workflowId }).catch(() => {}), []],
  ])('begins before it %s', async (_, change, then) => {
    await using started = await indexed();
    await change(started.workflows);
    const types = (await started.events(ownStream)).map((event) => (event as [string])[0]);
    expect(types).toEqual([WorkflowBegun.name, ...then]);
    expect(await started.workflows.getWorkflow(background, { workflowId })).toMatchObject({ begunAt: running.begunAt });
  });
});

describe('a workflow that is unindexed, and not erased', () => {
  const of = { registry: 'main', workflowId, work: archiveRepo };
  const ownStream = workflowStream('main', workflowId, archiveRepo);

  async function unindexed() {
    const started = await start();
    await started.workflows.beginWorkflow(background, { workflowId, work: archiveRepo });
    await finish(started);
    await started.conn.publish(background, workflowIndexStream('main'), newEvent(WorkflowUnindexed, of));
    expect(await started.events(ownStream)).toHaveLength(3);
    return started;
  }

  it('is not there', async () => {
    await using started = await unindexed();
    const { workflows, events } = started;
    await expect(workflows.getWorkflow(background, { workflowId })).rejects.toThrow(WorkflowNotFoundError);
    expect(await workflows.listWorkflows(background, {})).toEqual([]);
    for (const change of [workflows.cancelWorkflow, workflows.commitWorkflow]) {
      await expect(change.call(workflows, background, { workflowId })).rejects.toThrow(WorkflowNotFoundError);
    }
    expect(await events(ownStream)).toHaveLength(3);
  });

  it('is erased when it is deleted again, by whatever process', async () => {
    await using started = await unindexed();
    await started.another().deleteWorkflow(background, { workflowId });
    expect(await started.events(ownStream)).toEqual([]);
    expect((await started.events(workflowIndexStream('main'))).at(-1)).toEqual([WorkflowErased.name, of]);
  });

  it.each([archiveRepo, ping])('leaves nothing to one of its id: %j', async (work) => {
    await using started = await unindexed();
    const begun = await started.workflows.beginWorkflow(background, { workflowId, work });
    expect(begun).toMatchObject({ work, state: 'running', outcome: null });
    expect(await started.events(workflowStream('main', workflowId, work))).toHaveLength(1);
    if (work === ping) expect(await started.events(ownStream)).toEqual([]);
    await started
      .another()
      .deleteWorkflow(background, { workflowId })
      .catch(() => {});
    expect(await started.another().getWorkflow(background, { workflowId })).toEqual(begun);
  });
});

const notFound = (attempt: Promise<unknown>) => expect(attempt).rejects.toThrow(WorkflowNotFoundError);

describe('WorkflowsService', () => {
  it('goes on where another process stopped, with nothing in memory', async () => {
    await using started = await start();
    const { workflows } = started;
    await workflows.beginWorkflow(background, { workflowId, work: ping });
    await workflows.progressWorkflow(background, { workflowId, step: 'a', details: {} });
    const later = started.another();
    await later.progressWorkflow(background, { workflowId, step: 'b', details: {} });
    const completed = await later.completeWorkflow(background, { workflowId, outcome: succeeded });
    expect(completed.progress).toMatchObject([{ step: 'a' }, { step: 'b' }]);
    expect(await workflows.getWorkflow(background, { workflowId })).toEqual(completed);
    expect(await workflows.listWorkflows(background, {})).toEqual([completed]);
  });

  it('gives what later events do not change', async () => {
    await using started = await start();
    const { workflows } = started;
    const begun = await workflows.beginWorkflow(background, { workflowId, work: ping });
    await workflows.progressWorkflow(background, { workflowId, step: 'a', details: {} });
    expect(begun).toMatchObject({ state: 'running', progress: [] });
  });

  it('has one outcome of what several processes say at once', async () => {
    await using started = await start();
    await started.workflows.beginWorkflow(background, { workflowId, work: ping });
    const completions = Array.from({ length: 20 }, (_, i) =>
      started.another().completeWorkflow(background, { workflowId, outcome: { kind: 'failed', error: `${i}` } }),
    );
    const completed = await Promise.all(completions);
    expect(completed).toEqual(completed.map(() => completed[0]));
    expect(await started.events(workflowStream('main', workflowId, ping))).toHaveLength(2);
  });

  it.each<[string, (workflows: WorkflowsService) => Promise<unknown>]>([
    ['listed', (workflows) => workflows.listWorkflows(background, {}).then((found) => expect(found).toEqual([]))],
    ['looked up', (workflows) => notFound(workflows.getWorkflow(background, { workflowId }))],
    ['canceled', (workflows) => notFound(workflows.cancelWorkflow(background, { workflowId }))],
    ['deleted', (workflows) => workflows.deleteWorkflow(background, { workflowId })],
  ])('takes none for running that is deleted while it is %s', async (_, call) => {
    await using started = await start();
    const { workflows, conn } = started;
    await workflows.beginWorkflow(background, { workflowId, work: ping });
    await finish(started);
    const another = started.another();
    const head = conn.head.bind(conn);
    // After the caller has seen the index, and before it sees the workflow's own stream.
    const spy = vi.spyOn(conn, 'head').mockImplementation(async (ctx, stream) => {
      if (stream.startsWith('registryworkflows.')) {
        spy.mockRestore();
        await another.deleteWorkflow(background, { workflowId });
      }
      return await head(ctx, stream);
    });
    await call(workflows);
    expect(await started.events(workflowStream('main', workflowId, ping))).toEqual([]);
    expect(await started.events(workflowIndexStream('main'))).toHaveLength(3);
  });

  it('skips events that a newer server has written', async () => {
    await using started = await start();
    const { workflows, conn } = started;
    await workflows.beginWorkflow(background, { workflowId, work: ping });
    await conn.publish(background, workflowIndexStream('main'), { type: 'workflows.WorkflowPinned' });
    await conn.publish(background, workflowStream('main', workflowId, ping), { type: 'workflows.WorkflowPaused' });
    const completed = await workflows.completeWorkflow(background, { workflowId, outcome: succeeded });
    expect(completed.state).toBe('completed');
  });
});
