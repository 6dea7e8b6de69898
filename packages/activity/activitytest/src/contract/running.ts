import { type EntityRef, endOfStream, entityStream, type Outcome, retry, type Tail } from '@samovar/activity';
import { type Context, background as ctx } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type Bench, first, registry, repo, start } from './bench.ts';

const ids = [1, 2].map((n) => Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-00000000000${n}`)) as [Uuid, Uuid];
const entities: readonly EntityRef[] = [
  registry,
  { kind: 'registryWorkflowIndex', registry: 'main' },
  { kind: 'registryWorkflow', registry: 'main', workflowId: ids[1] },
  repo,
  { kind: 'repoWorkflow', repoId: ids[0], workflowId: ids[1] },
];

/** The recommended shape: what is there first, without side effects, then the rest, one by one. */
class Following {
  readonly view: string[] = [];
  readonly followed: string[] = [];

  readonly run = async (_: Context, tail: Tail, events: EventStream): Promise<Outcome> => {
    let last = tail;
    try {
      for await (const { id, type } of events.history()) {
        this.view.push(type);
        last = id;
      }
    } catch (error) {
      return retry(null, error as Error);
    }
    try {
      for await (const { id, type } of events) {
        this.followed.push(type);
        last = id;
      }
    } catch {
      // The end of the context.
    }
    return endOfStream(last);
  };
}

/** What an engine promises about the events that an activity gets. */
export function running(bench: () => Bench): void {
  it.each(entities)('an activity of a $kind over the events of its entity alone', async (entity) => {
    const { world } = bench();
    const engine = bench().engine(new FakeLeases());
    for (const other of entities) await world.append(other, `before ${entityStream(other)}`);
    const following = new Following();
    const handle = await start(engine, entity, following.run);
    const seen = () => [...following.view, ...following.followed];
    await bench().until(() => seen().length === 1);
    for (const other of entities) await bench().news(other, `after ${entityStream(other)}`);
    await bench().until(() => seen().length === 2);
    await bench().quiet();
    await handle.stop();
    expect(seen()).toEqual([`before ${entityStream(entity)}`, `after ${entityStream(entity)}`]);
  });

  it('calls activities with their ids', async () => {
    const engine = bench().engine(new FakeLeases());
    const calls: unknown[] = [];
    const [repoId, workflowId] = ids;
    for (const entity of entities) await bench().world.append(entity, 'a');
    const answer = async (...args: readonly unknown[]) => {
      calls.push(args.slice(1, -2).join());
      return endOfStream(await first(args.at(-1) as EventStream));
    };
    const options = { name: 'tea' };
    await engine.startRegistryActivity(ctx, 'main', answer, options);
    await engine.startRegistryWorkflowIndexActivity(
      ctx,
      'main',
      { processRegistryWorkflowIndexEvents: answer },
      options,
    );
    await engine.startRegistryWorkflowActivity(ctx, 'main', workflowId, answer, options);
    await engine.startRepoActivity(ctx, repoId, { processRepoEvents: answer }, options);
    await engine.startRepoWorkflowActivity(ctx, repoId, workflowId, answer, options);
    await bench().until(() => calls.length >= 5);
    const wanted = ['main', 'main', `main,${workflowId}`, repoId, `${repoId},${workflowId}`];
    expect(new Set(calls)).toEqual(new Set(wanted));
  });

  it('the recommended shape, unchanged: history first, then the rest, each event once', async () => {
    const engine = bench().engine(new FakeLeases());
    await bench().world.append(repo, 'a', 'b');
    const following = new Following();
    const handle = await start(engine, repo, following.run);
    await bench().until(() => following.view.length === 2);
    await bench().news(repo, 'c');
    await bench().until(() => following.view.length + following.followed.length === 3);
    const [last] = await bench().news(repo, 'd');
    await bench().until(() => following.view.length + following.followed.length === 4);
    expect(following.view.slice(0, 2)).toEqual(['a', 'b']);
    expect([...following.view, ...following.followed]).toEqual(['a', 'b', 'c', 'd']);
    expect(bench().traits.watches === true ? following.followed : following.view).toContain('d');
    await handle.stop();
    expect(handle.status()).toMatchObject({ state: 'stopped', tail: last });
  });

  it('an activity again from its tail, with what came meanwhile', async () => {
    const engine = bench().engine(new FakeLeases());
    const [a] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering(async (_, events) => endOfStream(await first(events)));
    const handle = await start(engine, repo, answering.run);
    await bench().until(() => answering.tails.length === 1);
    const [c] = await bench().news(repo, 'c');
    await bench().until(() => answering.tails.length > 1);
    await bench().quiet();
    await handle.stop();
    expect(answering.tails.slice(0, 2)).toEqual([null, a]);
    expect(handle.status().tail).toBe(c);
  });

  it('each activity of an entity by itself', async () => {
    const engine = bench().engine(new FakeLeases());
    const [a, b] = await bench().world.append(repo, 'a', 'b');
    const one = await start(engine, repo, async () => endOfStream(a ?? null), { name: 'one' });
    const two = await start(engine, repo, async () => endOfStream(b ?? null), { name: 'two' });
    await bench().until(() => one.status().tail === a && two.status().tail === b);
  });
}
