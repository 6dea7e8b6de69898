import type { Peers } from '@samovar/activity';
import type { HeartbeatResponse } from '@samovar/api/entities/v1/leases';

export function wirePeers({ self, all }: Peers) {
  return { self, peers: all.map(({ worker, runs }) => ({ worker, runs: [...runs] })) };
}

/** undefined: the server does not know them, or names them in a way that cannot be. */
export function peersOf({ self, peers }: Pick<HeartbeatResponse, 'self' | 'peers'>): Peers | undefined {
  const names = new Set(peers.map(({ worker }) => worker));
  if (self === '' || !names.has(self) || names.size < peers.length) return undefined;
  return { self, all: peers.map(({ worker, runs }) => ({ worker, runs: new Set(runs) })) };
}
