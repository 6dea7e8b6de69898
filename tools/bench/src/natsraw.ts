import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { AckPolicy, type Consumer, type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { connect as connectLog } from '@samovar/edaimpl';
import { NatsServer } from '@samovar/edatest/nats';

const stream = 'samovar';

/** The subject that edanats gives a publisher's letters too. */
export function subjectOf(publisher: number): string {
  return `${stream}.events.bench.${publisher}`;
}

/** With room for the largest commits, so that no connection has to warn of less. */
export function startServer(): Promise<NatsServer> {
  return NatsServer.start();
}

/** The client by itself. */
export interface Raw extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  /** A durable consumer of all messages, each to be acknowledged. */
  readonly consumer: (name: string) => Promise<Consumer>;
}

/** Connects to a JetStream stream with the settings that edanats gives its own. */
export async function openRaw(url: string): Promise<Raw> {
  await (await connectLog(url)).close();
  const nc = await connect({ servers: url });
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc);
  return {
    nc,
    js,
    async consumer(name) {
      await jsm.consumers.add(stream, { durable_name: name, ack_policy: AckPolicy.Explicit, max_ack_pending: 10_000 });
      return js.consumers.get(stream, name);
    },
    [Symbol.asyncDispose]: () => nc.close(),
  };
}

/** The versions of server and client, and what an acknowledged event survives. */
export async function setting(): Promise<string> {
  await using server = await startServer();
  await using raw = await openRaw(server.url);
  const client = ['jetstream', 'transport-node'].map((name) => `@nats-io/${name} ${versionOf(`@nats-io/${name}`)}`);
  const durability = 'File storage, 1 replica; the server syncs every 2 minutes: its process may die, not its machine.';
  return `nats-server ${raw.nc.info?.version}, ${client.join(', ')}. ${durability}`;
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new Error(`${name} has no package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
