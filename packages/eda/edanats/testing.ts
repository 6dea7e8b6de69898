import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect as dial } from '@nats-io/transport-node';
import { background } from '@samovar/context';
import { type Conn, type ConnectOptions, Data, type Event, type NewEvent } from '@samovar/eda';
import { NatsServer } from '@samovar/edatest/nats';
import { LogProcess, type Opening } from '@samovar/edatest/processes';
import { onTestFinished } from 'vitest';
import { connectNats } from './src/edanats.ts';

/** Empties an iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const read = (conn: Conn, selector: string): Promise<Event[]> => collect(conn.read(background, selector));

/** An event that carries a number. */
export const pour = (n: number): NewEvent => ({ type: 'tea.Poured', data: Data.json(n) });

export const numbersOf = (events: readonly Event[]): number[] => events.map(({ data }) => data.json<number>());

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

/** A server of the running test. */
export async function ownServer(settings?: string): Promise<NatsServer> {
  const own = await NatsServer.start(settings);
  onTestFinished(() => own[Symbol.asyncDispose]());
  return own;
}

/** A connection of the running test; with `elsewhere`, one that shares nothing in this process with the others. */
export async function connected(
  server: { readonly url: string },
  options: ConnectOptions,
  elsewhere = false,
): Promise<Conn> {
  const url = elsewhere ? server.url.replace('127.0.0.1', 'localhost') : server.url;
  const conn = await connectNats(url, { logger: null, ...options });
  onTestFinished(() => conn.close());
  return conn;
}

/** What `cluster` has in the bucket of its subscriptions, for the running test. */
export async function stored(server: NatsServer, cluster: string) {
  const nc = await dial({ servers: server.url.slice('nats://'.length) });
  onTestFinished(() => nc.close());
  const bucket = await new Kvm(nc).open(`${cluster}-subscriptions`);
  const jsm = await jetstreamManager(nc);
  const prefix = `$KV.${cluster}-subscriptions.`;
  // The client's own listing of keys waits for what is replaced or deleted meanwhile.
  const keysOf = async (filter: string) => {
    const { state } = await jsm.streams.info(`KV_${cluster}-subscriptions`, { subjects_filter: prefix + filter });
    const subjects = Object.keys(state.subjects ?? {});
    return subjects.map((subject) => subject.slice(prefix.length)).toSorted();
  };
  return { bucket, keysOf };
}

/** How another process opens the log that is kept on `server` as `cluster`. */
export function opening(server: NatsServer, cluster: string): Opening {
  const code = `(await import('./src/edanats.ts')).connectNats('${server.url}', { cluster: '${cluster}', logger: null })`;
  return { code, folder: import.meta.dirname };
}

/** Another process of the running test that has a log open as `conn`, runs `code`, and says what it gives to `say`. */
export class Child extends LogProcess {
  constructor(server: NatsServer, cluster: string, code: string) {
    super(opening(server, cluster), code);
    onTestFinished(() => this.kill());
  }
}
