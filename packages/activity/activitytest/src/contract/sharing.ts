import {
  type ActivityEngine,
  type ActivityHandle,
  type ActivityKey,
  endOfStream,
  type Lease,
  type Outcome,
  retry,
} from '@samovar/activity';
import { type Context, background as ctx } from '@samovar/context';
import { expect, it } from 'vitest';
import { FakeLeases } from '../leases.ts';
import { Answering, type AnyActivity, type Bench, endOf, first, hanging, repo, start } from './bench.ts';
import { FailingLeases } from './leasing.ts';

/** Leases that hear of other workers while they are asked. */
class JoiningLeases extends FakeLeases {
  override async claim(ctx: Context, activity: ActivityKey): Promise<Lease | undefined> {
    const lease = await super.claim(ctx, activity);
    this.beat();
    return lease;
  }
}

const names = Array.from({ length: 24 }, (_, i) => `tea${i}`);

/** What engines of several workers do with the activities that they share. */
export function sharing(bench: () => Bench): void {
  /** Two workers: the first one runs all there is before the second one comes. */
  const workers = async () => {
    const leases = new FakeLeases();
    return { leases, other: leases.another(), engine: bench().engine(leases) };
  };
  const startAll = (engine: ActivityEngine, activity: AnyActivity = endOf) =>
    Promise.all(names.map((name) => start(engine, repo, activity, { name })));
  /** Has that worker have claimed all. */
  const announce = async (leases: FakeLeases) => {
    for (const name of names) {
      const lease = await leases.claim(ctx, { entity: repo, name });
      if (lease !== undefined) await leases.release(ctx, lease);
    }
  };
  /** The workers hear of each other. */
  const beat = (...all: readonly FakeLeases[]) => {
    for (const leases of [...all, ...all]) leases.beat();
  };
  const tick = async () => {
    await bench().quiet();
    bench().clock.advance(1_000);
    await bench().quiet();
  };
  const own = (handles: readonly ActivityHandle[]) =>
    handles.filter((handle) => handle.status().state !== 'waiting').map((handle) => handle.status().activity.name);

  it('with one that joins, and takes them back when it is gone', async () => {
    const { leases, other, engine } = await workers();
    const ann = await startAll(engine);
    const second = bench().engine(other);
    const bob = await startAll(second);
    await tick();
    expect([own(ann), own(bob)]).toEqual([names, []]);
    beat(leases, other);
    await tick();
    expect([...own(ann), ...own(bob)].toSorted()).toEqual(names.toSorted());
    expect(own(ann).length).toBeGreaterThan(3);
    expect(own(bob).length).toBeGreaterThan(3);
    const shared = own(ann);
    for (let i = 0; i < 5; i++) {
      beat(leases, other);
      await tick();
    }
    expect(own(ann)).toEqual(shared);
    await second.stop();
    other.expire();
    beat(leases);
    await tick();
    expect(own(ann)).toEqual(names);
  });

  it('but keeps what the other one leaves it', async () => {
    const { leases, other, engine } = await workers();
    const ann = await startAll(engine);
    await announce(other);
    beat(leases, other);
    await tick();
    expect(own(ann).length).toBeLessThan(names.length);
    for (let i = 0; i < 5; i++) await tick();
    expect(own(ann)).toEqual(names);
    beat(leases, other);
    await tick();
    expect(own(ann)).toEqual(names);
  });

  it('by starting what is at home with the other one only if that does not', async () => {
    const { leases, other, engine } = await workers();
    await announce(leases);
    await announce(other);
    beat(leases, other);
    const ann = await startAll(engine);
    expect(own(ann).length).toBeGreaterThan(3);
    expect(own(ann).length).toBeLessThan(names.length - 3);
    const atHome = own(ann);
    await tick();
    expect(own(ann)).toEqual(atHome);
    const second = bench().engine(other);
    beat(leases, other);
    const bob = await startAll(second);
    expect([...own(ann), ...own(bob)].toSorted()).toEqual(names.toSorted());
    await second.stop();
    for (let i = 0; i < 4; i++) await tick();
    expect(own(ann)).toEqual(names);
  });

  it('that it has claimed before it knew of the other one', async () => {
    const leases = new JoiningLeases();
    const other = leases.another();
    await announce(other);
    other.beat();
    const ann = await startAll(bench().engine(leases));
    await bench().quiet();
    expect(own(ann).length).toBeLessThan(names.length - 3);
    const bob = await startAll(bench().engine(other));
    beat(other);
    await tick();
    expect([...own(ann), ...own(bob)].toSorted()).toEqual(names.toSorted());
  });

  it('when the run of one that ends by itself has ended; one over a stream that waits is cancelled', async () => {
    const { leases, other, engine } = await workers();
    const end = Promise.withResolvers<Outcome>();
    await bench().world.append(repo, 'a');
    const aborted: boolean[] = [];
    const running: AnyActivity = (ctx, tail) => {
      ctx.signal.addEventListener('abort', () => aborted.push(true));
      return Promise.race([end.promise, hanging(ctx, tail, undefined as never)]);
    };
    const ann = await startAll(engine, running);
    await bench().until(() => ann.every((handle) => handle.status().state === 'running'));
    const bob = await startAll(bench().engine(other));
    beat(leases, other);
    await tick();
    if (!bench().traits.watches) {
      expect([own(bob), aborted]).toEqual([[], []]);
      end.resolve(endOfStream(null));
      await tick();
    }
    expect([...own(ann), ...own(bob)].toSorted()).toEqual(names.toSorted());
    expect(own(bob).length).toBeGreaterThan(3);
    if (bench().traits.watches) expect(aborted).toHaveLength(own(bob).length);
  });

  it('with the tails stored, of those that have failed as well', async () => {
    const { leases, other, engine } = await workers();
    const [a] = await bench().world.append(repo, 'a', 'b');
    const failing: AnyActivity = async (_, __, events) => retry(await first(events), new Error('cold'));
    const ann = await startAll(engine, failing);
    await bench().until(() => ann.every((handle) => handle.status().state === 'retrying'));
    const { run, tails } = new Answering();
    const bob = await startAll(bench().engine(other), run);
    beat(leases, other);
    await tick();
    await bench().until(() => tails.length >= own(bob).length && tails.length > 0);
    expect(new Set(tails)).toEqual(new Set([a]));
    const left = ann.filter((handle) => handle.status().state === 'waiting');
    expect(left.map((handle) => handle.status())).toMatchObject(
      left.map(() => ({ attempts: 0, lastError: undefined })),
    );
  });

  it('after what could not be stored is', async () => {
    const leases = new FailingLeases();
    leases.isFailing = false;
    const other = leases.another();
    const [a] = await bench().world.append(repo, 'a', 'b');
    const ann = await startAll(bench().engine(leases), async (_, __, events) => {
      const tail = await first(events);
      leases.isFailing = true;
      return retry(tail, new Error('cold'));
    });
    await bench().until(() => ann.every((handle) => handle.status().lastError?.message === 'no leases'));
    const { run, tails } = new Answering();
    const bob = await startAll(bench().engine(other), run);
    beat(leases, other);
    await tick();
    leases.isFailing = false;
    await bench().until(() => {
      bench().clock.advance(1_000);
      return own(bob).length > 3 && own(ann).length + own(bob).length === names.length;
    });
    await bench().until(() => tails.length >= own(bob).length);
    expect(new Set(tails)).toEqual(new Set([a]));
  });

  it('and runs none any more for which it was held to be dead', async () => {
    const { leases, other, engine } = await workers();
    const ann = await startAll(engine);
    leases.beat();
    await tick();
    expect(own(ann)).toEqual(names);
    leases.expire();
    for (const name of names) await other.claim(ctx, { entity: repo, name });
    beat(other, leases);
    // A run that is under way looks at its lease from time to time.
    for (let i = 0; i < 12; i++) await tick();
    expect(own(ann)).toEqual([]);
  });
}
