import { type ActivityKey, entityStream, type Lease, StaleLeaseError, type Tail } from '@samovar/activity';
import { type GrpcService, grpcService } from '@samovar/api';
import { Leases, type ReleaseRequest } from '@samovar/api/entities/v1/leases';
import { parseEventId } from '@samovar/eda';
import { checkedKey } from '../wire/entity.ts';
import { wirePeers } from '../wire/peers.ts';
import type { RemoteWorkers } from './workers.ts';

/** The service by which workers elsewhere have leases. */
export function leasesService(workers: RemoteWorkers): GrpcService {
  /** @throws {StaleLeaseError} if the worker is not among those there are: another may have the activity. */
  const leasesOf = async (name: string, activity: ActivityKey) => {
    const worker = await workers.find(name);
    if (worker === undefined) throw new StaleLeaseError(activity.name, entityStream(activity.entity));
    return worker.leases;
  };
  return grpcService(Leases, {
    async heartbeat(_, { worker }) {
      const { peers } = await workers.alive(worker);
      return { leaseMs: workers.leaseMs, ...(peers && wirePeers(peers)) };
    },

    async claim(ctx, request) {
      const activity = checkedKey(request.activity);
      const { leases } = await workers.alive(request.worker);
      const lease = await leases.claim(ctx, activity);
      if (lease === undefined) return {};
      const { epoch, tail, isCompleted } = lease;
      return { lease: { epoch: BigInt(epoch), tail: tail ?? '', completed: isCompleted } };
    },

    async storeTail(ctx, request) {
      const lease = leaseOf(request);
      const leases = await leasesOf(request.worker, lease.activity);
      await leases.storeTail(ctx, lease, tailOf(request.tail));
      return {};
    },

    async complete(ctx, request) {
      const lease = leaseOf(request);
      const leases = await leasesOf(request.worker, lease.activity);
      await leases.complete(ctx, lease, tailOf(request.tail));
      return {};
    },

    async release(ctx, request) {
      const lease = leaseOf(request);
      await (await workers.find(request.worker))?.leases.release(ctx, lease);
      return {};
    },

    async leave(_, { worker }) {
      await workers.leave(worker);
      return {};
    },
  });
}

/** The lease as its worker knows it; what else it says is not looked at. */
function leaseOf({ activity, epoch }: Pick<ReleaseRequest, 'activity' | 'epoch'>): Lease {
  return { activity: checkedKey(activity), epoch: Number(epoch), tail: null, isCompleted: false };
}

/** @throws {InvalidEventIdError} */
function tailOf(tail: string): Tail {
  return tail === '' ? null : parseEventId(tail);
}
