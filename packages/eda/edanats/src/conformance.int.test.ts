import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect as dial, type NatsConnection, nuid } from '@nats-io/transport-node';
import type { Conn } from '@samovar/eda';
import { edaConformance } from '@samovar/edatest/conformance';
import { NatsCluster, NatsServer, natsClusterLacking, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import { connectNats } from './edanats.ts';

describe.skipIf(natsLacking() !== undefined)('with a server', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  edaConformance('NATS JetStream', {
    open: async () => {
      const cluster = nuid.next();
      return {
        connect: (client = '') => connectNats(server.url, { client, cluster, logger: null }),
        reopen: async () => {
          await server.stop();
          await server.start();
        },
        [Symbol.asyncDispose]: async () => {},
      };
    },
  });
});

/** The parts that are run on three servers each time; the others, which take minutes, with NIGHTLY=1. */
const daily = ['publishing', 'concurrent publishing', 'reading', 'watching', 'delivering'];
/** The test during which the server that leads the log is killed, as soon as the log holds so many events. */
const fatal = { test: 'gives every one of 20 watchers all of 2,000 events in log order while 50 publish', at: 500 };
/** Milliseconds that three servers may take to agree on a leader, on a busy machine. */
const patience = 60_000;
const waiting = { timeout: patience, interval: 20 };

describe.skipIf(natsClusterLacking() !== undefined)('with three servers', { timeout: 2 * patience }, () => {
  let nodes: NatsCluster;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  let killed: { readonly at: number; readonly afterwards: number } | undefined;

  const connect = (cluster: string, client = ''): Promise<Conn> =>
    vi.waitFor(() => connectNats(nodes.url, { client, cluster, replicas: 3, logger: null }), waiting);

  /** Kills the server that leads a log of so many events, and starts it again. Resolves with how many there were then. */
  async function killLeader(stream: string, events: number): Promise<number> {
    const { at, leader } = await vi.waitFor(async () => {
      const { state, cluster } = await jsm.streams.info(stream);
      expect(state.messages).toBeGreaterThanOrEqual(events);
      const leader = nodes.servers[Number(cluster?.leader?.slice('server'.length))];
      if (leader === undefined) throw new Error('nobody leads the log');
      return { at: state.messages, leader };
    }, waiting);
    await leader.stop('SIGKILL');
    await leader.start();
    return at;
  }

  async function removeAll(): Promise<void> {
    for await (const { config } of jsm.streams.list()) await jsm.streams.delete(config.name);
  }

  beforeAll(async () => {
    nodes = await NatsCluster.start();
    await (await connect('first')).close();
    nc = await dial({ servers: nodes.servers.map(({ url }) => url.slice('nats://'.length)), maxReconnectAttempts: -1 });
    // Nobody answers while nobody leads.
    jsm = await jetstreamManager(nc, { timeout: 1_000 });
  }, patience);
  beforeEach(({ task, skip }) => {
    if (!process.env.NIGHTLY && !daily.includes(task.suite?.name ?? '')) skip('on three servers with NIGHTLY=1 only');
  });
  afterAll(async () => {
    await nc.close();
    await nodes[Symbol.asyncDispose]();
    expect(killed, `the leader was killed during "${fatal.test}"`).toBeDefined();
    expect(killed?.at).toBeLessThan(2000);
    expect(killed?.afterwards).toBe(2000);
  });

  edaConformance('NATS JetStream with three replicas', {
    open: async () => {
      const cluster = nuid.next();
      const isFatal = expect.getState().currentTestName?.endsWith(fatal.test);
      const killing = isFatal ? killLeader(cluster, fatal.at) : undefined;
      return {
        connect: (client) => connect(cluster, client),
        reopen: async () => {
          await Promise.all(nodes.servers.map((server) => server.stop()));
          await Promise.all(nodes.servers.map((server) => server.start()));
        },
        [Symbol.asyncDispose]: async () => {
          const at = await killing;
          if (at !== undefined) {
            const { state } = await vi.waitFor(() => jsm.streams.info(cluster), waiting);
            killed = { at, afterwards: state.messages };
          }
          await vi.waitFor(removeAll, waiting);
        },
      };
    },
  });
});
