import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Lease, StaleLeaseError, type WorkerLeases } from '@samovar/activity';
import { RecordingLogger } from '@samovar/activitytest';
import { background as ctx } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { NatsCluster, type NatsServer, natsLacking } from '@samovar/edatest/nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { leaseMs, PausableClock, range, repo } from '../testing.ts';
import { NatsWorkers } from './activitynats.ts';

/** Three servers may take long to agree on a leader, on a busy machine. */
const patience = { timeout: 60_000, interval: 100 };
const tea = { entity: repo(1), name: 'tea' };
const tail = (n: number) => String(n).padStart(26, '0') as EventId;

type Options = Partial<Parameters<typeof NatsWorkers.open>[1]>;

async function ownCluster(): Promise<NatsCluster> {
  const cluster = await NatsCluster.start();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

async function joined(url: string, options: Options = {}): Promise<WorkerLeases> {
  const settings = { cluster: 'tests', replicas: 3, leaseMs: 60_000, logger: new RecordingLogger(), ...options };
  const workers = await vi.waitFor(() => NatsWorkers.open(url, settings), patience);
  const leases = await vi.waitFor(() => workers.join(), patience);
  onTestFinished(async () => {
    await leases[Symbol.asyncDispose]();
    await workers[Symbol.asyncDispose]();
  });
  return leases;
}

async function leaderOf({ servers, url }: NatsCluster): Promise<NatsServer> {
  const nc = await connect({ servers: url.slice('nats://'.length).split(',') });
  const { cluster } = await (await jetstreamManager(nc)).streams.info('KV_tests-leases');
  await nc.close();
  return servers[Number(cluster?.leader?.slice('server'.length))] as NatsServer;
}

describe.skipIf(natsLacking() !== undefined)('leases that three servers keep', () => {
  it('have one owner each, however many race for them, again and again', { timeout: 180_000 }, async () => {
    const { servers } = await ownCluster();
    const workers: WorkerLeases[] = [];
    for (const n of range(6)) workers.push(await joined((servers[n % 3] as NatsServer).url));
    const keys = range(40).map((n) => ({ entity: repo(n), name: 'tea' }));
    for (const round of range(10)) {
      const claims = await Promise.all(keys.map((key) => Promise.all(workers.map((worker) => worker.claim(ctx, key)))));
      const owners = claims.map((leases) => leases.filter((lease) => lease !== undefined));
      expect(owners.map(({ length }) => length)).toEqual(keys.map(() => 1));
      expect(owners.flat().map((lease) => lease.tail)).toEqual(keys.map(() => (round === 0 ? null : tail(round - 1))));
      const each = claims.flatMap((leases) =>
        leases.flatMap((lease, n) => (lease === undefined ? [] : [{ worker: workers[n] as WorkerLeases, lease }])),
      );
      await Promise.all(
        each.map(async ({ worker, lease }) => {
          await worker.storeTail(ctx, lease, tail(round));
          await worker.release(ctx, lease);
        }),
      );
    }
  });

  it('of one that is silent are free after the lease time, and what it stores is refused', {
    timeout: 120_000,
  }, async () => {
    const { servers } = await ownCluster();
    const [first, second] = servers as [NatsServer, NatsServer];
    const clock = new PausableClock();
    const ann = await joined(first.url, { leaseMs, clock });
    const bob = await joined(second.url, { leaseMs });
    const lease = (await ann.claim(ctx, tea)) as Lease;
    await ann.storeTail(ctx, lease, tail(1));
    clock.pause();
    const next = await vi.waitFor(
      async () => (await bob.claim(ctx, tea)) ?? Promise.reject(new Error('taken')),
      patience,
    );
    expect(next).toMatchObject({ epoch: lease.epoch + 1, tail: tail(1) });
    await expect(ann.storeTail(ctx, lease, tail(2))).rejects.toThrow(StaleLeaseError);
    await bob.storeTail(ctx, next, tail(3));
  });

  it('are kept when the server that leads is killed amid many', { timeout: 180_000 }, async () => {
    const cluster = await ownCluster();
    const ann = await joined(cluster.url);
    const bob = await joined(cluster.url);
    const keys = range(1_000).map((n) => ({ entity: repo(n), name: 'tea' }));
    // What fails while the servers agree on a leader may be asked for again.
    const claims = (worker: WorkerLeases) =>
      Promise.all(keys.map((key) => vi.waitFor(() => worker.claim(ctx, key), patience)));
    const leases = (await claims(ann)) as Lease[];
    const leader = await leaderOf(cluster);
    let stored = 0;
    let killed: Promise<void> | undefined;
    const store = async (lease: Lease, n: number): Promise<void> => {
      try {
        await ann.storeTail(ctx, lease, tail(n));
        if (++stored === 300) killed = leader.stop('SIGKILL');
      } catch (error) {
        if (error instanceof StaleLeaseError) throw error;
        await store(lease, n);
      }
    };
    await Promise.all(leases.map(store));
    await killed;
    expect(await claims(bob)).toEqual(keys.map(() => undefined));
    await ann[Symbol.asyncDispose]();
    const taken = await claims(bob);
    expect(taken.map((lease) => lease?.tail)).toEqual(keys.map((_, n) => tail(n)));
  });
});
