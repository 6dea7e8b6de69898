import { type ActivityHandle, completed, endOfStream, type Outcome } from '@samovar/activity';
import { background as ctx } from '@samovar/context';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type AnyActivity, type Bench, endOf, first, hanging, leaseOf, repo, start } from './bench.ts';

/** How an engine, or one activity, is stopped. */
export function stopping(bench: () => Bench): void {
  /** Brings an activity into a state, and says what else was started. */
  const states: Readonly<Record<string, (leases: FakeLeases) => Promise<ActivityHandle>>> = {
    waiting: async (leases) => {
      await leases.another().claim(ctx, { entity: repo, name: 'tea' });
      return await start(bench().engine(leases), repo, endOf);
    },
    ready: async (leases) => {
      const engine = bench().engine(leases, { repo: 1 });
      await bench().state(await start(engine, repo, hanging, { name: 'first' }), 'running');
      return await start(engine, repo, endOf);
    },
    running: (leases) => start(bench().engine(leases), repo, hanging),
    retrying: (leases) => start(bench().engine(leases), repo, () => Promise.reject(new Error('x'))),
    completed: (leases) => start(bench().engine(leases), repo, async () => completed(null)),
  };

  it.each(Object.entries(states))('an activity that is %s', async (state, reach) => {
    const leases = new FakeLeases();
    await bench().world.append(repo, 'a');
    const handle = await reach(leases);
    await bench().state(handle, state as 'waiting');
    const runs = bench().logger.lines.length;
    await Promise.all([handle.stop(), handle.stop()]);
    const end = state === 'completed' ? 'completed' : 'stopped';
    expect(await handle.ended).toBe(end);
    expect(handle.status()).toMatchObject({ state: end, nextRun: undefined });
    const lease = await leaseOf(leases, repo);
    expect(lease?.isCompleted).toBe(state === 'waiting' ? undefined : state === 'completed');
    bench().clock.advance(120_000);
    await bench().quiet();
    expect(handle.status().state).toBe(end);
    expect(bench().logger.lines).toHaveLength(runs);
    await bench().stop();
    expect(bench().clock.timers).toBe(0);
  });

  it('an activity that waits for its lease, and does not claim it any more', async () => {
    const leases = new FakeLeases();
    const other = leases.another();
    const held = await other.claim(ctx, { entity: repo, name: 'tea' });
    if (held === undefined) throw new Error('nobody else has it');
    const handle = await start(bench().engine(leases), repo, endOf);
    await handle.stop();
    await other.release(ctx, held);
    bench().clock.advance(1_000);
    await bench().quiet();
    expect(await leaseOf(leases, repo)).toBeDefined();
  });

  it('an activity while it claims its lease', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    await bench().world.append(repo, 'a');
    const answering = new Answering();
    const starting = start(engine, repo, answering.run);
    await Promise.all([engine.stop(), starting]);
    expect((await starting).status().state).toBe('stopped');
    expect(await leaseOf(leases, repo)).toMatchObject({ isCompleted: false });
    expect(answering.tails).toEqual([]);
  });

  it('by cancelling what runs, storing its tail, and giving back all leases', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    const [a, b] = await bench().world.append(repo, 'a', 'b');
    const reading: AnyActivity = async (ctx, _, events) => {
      const tail = await first(events);
      return await new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(endOfStream(tail))));
    };
    const one = await start(engine, repo, reading, { name: 'one' });
    const two = await start(engine, repo, endOf, { name: 'two' });
    await bench().state(one, 'running');
    await bench().until(() => bench().traits.watches === true || two.status().tail === b);
    await bench().quiet();
    await Promise.all([engine.stop(), engine.stop()]);
    expect([one, two].map((handle) => handle.status().state)).toEqual(['stopped', 'stopped']);
    expect(await leaseOf(leases, repo, 'one')).toMatchObject({ tail: a });
    expect(await leaseOf(leases, repo, 'two')).toMatchObject({ tail: b });
    expect(engine.activities()).toEqual([]);
    expect(bench().clock.timers).toBe(0);
    expect(bench().logger.lines).toEqual([]);
  });

  it('within its time, whatever activities do; their late outcomes do not count', async () => {
    const leases = new FakeLeases();
    const engine = bench().engine(leases);
    const [a] = await bench().world.append(repo, 'a');
    const end = Promise.withResolvers<Outcome>();
    const handle = await start(engine, repo, () => end.promise);
    await bench().state(handle, 'running');
    let isStopped = false;
    const handleStopped = handle.stop();
    const stopped = engine.stop(5_000).then(() => {
      isStopped = true;
    });
    bench().clock.advance(4_999);
    await bench().quiet();
    expect(isStopped).toBe(false);
    bench().clock.advance(1);
    await stopped;
    await handleStopped;
    expect(await handle.ended).toBe('stopped');
    end.resolve(completed(a ?? null));
    await bench().quiet();
    expect(handle.status().state).toBe('stopped');
    leases.expire();
    expect(await leaseOf(leases, repo)).toMatchObject({ tail: null, isCompleted: false });
  });

  it('an activity that completes meanwhile as completed', async () => {
    const leases = new FakeLeases();
    await bench().world.append(repo, 'a');
    const finishing: AnyActivity = (ctx) =>
      new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(completed(null))));
    const handle = await start(bench().engine(leases), repo, finishing);
    await bench().state(handle, 'running');
    await handle.stop();
    expect(await handle.ended).toBe('completed');
    expect(await leaseOf(leases, repo)).toMatchObject({ isCompleted: true });
  });
}
