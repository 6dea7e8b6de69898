import { completed, endOfStream, type Lease, type Outcome, retry, SilentRetry, type Tail } from '@samovar/activity';
import { type Context, background as ctx } from '@samovar/context';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type AnyActivity, type Bench, endOf, first, leaseOf, repo, start } from './bench.ts';

/** Leases that fail as long as they are told to. */
export class FailingLeases extends FakeLeases {
  isFailing = true;

  override async claim(ctx: Context, activity: Parameters<FakeLeases['claim']>[1]): Promise<Lease | undefined> {
    if (this.isFailing) throw new Error('no leases');
    return await super.claim(ctx, activity);
  }

  override async storeTail(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    if (this.isFailing) throw new Error('no leases');
    await super.storeTail(ctx, lease, tail);
  }

  override async complete(ctx: Context, lease: Lease, tail: Tail): Promise<void> {
    if (this.isFailing) throw new Error('no leases');
    await super.complete(ctx, lease, tail);
  }
}

/** What an engine does with leases. */
export function leasing(bench: () => Bench): void {
  it('are waited for while another worker has them', async () => {
    const leases = new FakeLeases();
    const other = leases.another();
    const held = await other.claim(ctx, { entity: repo, name: 'tea' });
    const [a] = await bench().world.append(repo, 'a', 'b');
    const answering = new Answering();
    const handle = await start(bench().engine(leases), repo, answering.run);
    expect(handle.status().state).toBe('waiting');
    bench().clock.advance(1_000);
    await bench().quiet();
    expect(handle.status().state).toBe('waiting');
    if (held === undefined) throw new Error('nobody else has it');
    await other.storeTail(ctx, held, a ?? null);
    await other.release(ctx, held);
    bench().clock.advance(1_000);
    await bench().until(() => answering.tails.length === 1);
    expect(answering.tails).toEqual([a]);
  });

  it('that are gone when a run has ended leave its outcome without effect; then they are waited for', async () => {
    const leases = new FakeLeases();
    const other = leases.another();
    const [a] = await bench().world.append(repo, 'a', 'b');
    const end = Promise.withResolvers<Outcome>();
    const answering = new Answering(() => end.promise);
    const handle = await start(bench().engine(leases), repo, answering.run);
    await bench().state(handle, 'running');
    leases.expire();
    const held = await other.claim(ctx, { entity: repo, name: 'tea' });
    if (held === undefined) throw new Error('nobody else has it');
    end.resolve(completed(null));
    await bench().state(handle, 'waiting');
    await other.storeTail(ctx, held, a ?? null);
    await other.release(ctx, held);
    bench().clock.advance(1_000);
    await bench().until(() => answering.tails.length === 2);
    expect(answering.tails).toEqual([null, a]);
  });

  it('that are gone end a long run', async () => {
    const leases = new FakeLeases();
    await bench().world.append(repo, 'a');
    const contexts: Context[] = [];
    const hangs: AnyActivity = (ctx) => {
      contexts.push(ctx);
      return new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(endOfStream(null))));
    };
    const handle = await start(bench().engine(leases), repo, hangs);
    await bench().state(handle, 'running');
    bench().clock.advance(10_000);
    await bench().quiet();
    expect(handle.status().state).toBe('running');
    leases.expire();
    await leaseOf(leases, repo);
    bench().clock.advance(10_000);
    await bench().state(handle, 'waiting');
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  it('are asked for again when nobody can tell of them, with one line in the log', async () => {
    const leases = new FailingLeases();
    await bench().world.append(repo, 'a');
    const engine = bench().engine(leases);
    const handle = await start(engine, repo, endOf);
    await start(engine, repo, endOf, { name: 'milk' });
    bench().clock.advance(1_000);
    await bench().quiet();
    expect(handle.status().state).toBe('waiting');
    expect(bench().logger.lines).toHaveLength(1);
    leases.isFailing = false;
    bench().clock.advance(1_000);
    await bench().until(() => handle.status().state !== 'waiting');
  });

  it.each<[string, (tail: Tail) => Outcome]>([
    ['a tail', (tail) => retry(tail, new SilentRetry('x'))],
    ['completion', completed],
  ])('that cannot store %s for now do so later, without another run', async (_, outcome) => {
    const leases = new FailingLeases();
    leases.isFailing = false;
    const [a] = await bench().world.append(repo, 'a');
    const answering = new Answering(async (_, events) => {
      leases.isFailing = true;
      return outcome(await first(events));
    });
    const handle = await start(bench().engine(leases), repo, answering.run);
    await bench().state(handle, 'retrying');
    expect(handle.status()).toMatchObject({ tail: null, lastError: { message: 'no leases' } });
    leases.isFailing = false;
    await bench().retry(handle);
    await bench().until(() => handle.status().tail === a);
    await bench().quiet();
    expect(answering.tails).toHaveLength(1);
  });

  it.each<[string, 'stopped' | 'completed', (tail: Tail) => Outcome]>([
    ['a tail', 'stopped', (tail) => retry(tail, new SilentRetry('x'))],
    ['completion', 'completed', completed],
  ])('that could not store %s do so when the activity is stopped', async (_, end, outcome) => {
    const leases = new FailingLeases();
    leases.isFailing = false;
    const [a] = await bench().world.append(repo, 'a');
    const answering = new Answering(async (_, events) => {
      leases.isFailing = true;
      return outcome(await first(events));
    });
    const handle = await start(bench().engine(leases), repo, answering.run);
    await bench().state(handle, 'retrying');
    leases.isFailing = false;
    await handle.stop();
    expect(await handle.ended).toBe(end);
    expect(await leaseOf(leases, repo)).toMatchObject({ tail: a, isCompleted: end === 'completed' });
  });
}
