import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsServer } from '@samovar/edatest/nats';

/** Milliseconds that servers may take to catch up, and between looks. */
const patience = 120_000;
const pause = 200;

/**
 * Resolves when all that the servers of a cluster keep is led by one of them and up to date on each of the others.
 *
 * @throws {Error} if that takes too long.
 */
export async function settled(servers: readonly NatsServer[]): Promise<void> {
  for (const began = performance.now(); ; await delay(pause)) {
    try {
      if (await areUpToDate(servers)) return;
    } catch (error) {
      // Nobody leads what was asked for.
      if (performance.now() - began > patience) throw error;
    }
    if (performance.now() - began > patience) throw new Error('a server of the cluster does not catch up');
  }
}

async function areUpToDate(servers: readonly NatsServer[]): Promise<boolean> {
  const nc = await connect({ servers: servers.map(({ url }) => url.slice('nats://'.length)) });
  try {
    const jsm = await jetstreamManager(nc);
    for await (const { config, cluster } of jsm.streams.list()) {
      if (!cluster?.leader || cluster.replicas?.length !== servers.length - 1 || !isUpToDate(cluster)) return false;
      // Those of readers are on one server only, and are lost with it.
      for await (const consumer of jsm.consumers.list(config.name)) if (!isUpToDate(consumer.cluster)) return false;
    }
    return true;
  } finally {
    await nc.close();
  }
}

type Cluster = Awaited<ReturnType<JetStreamManager['streams']['info']>>['cluster'];

function isUpToDate(cluster: Cluster): boolean {
  return (cluster?.replicas ?? []).every(({ current }) => current);
}
