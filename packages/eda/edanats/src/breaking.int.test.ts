import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dialSocket, type Socket } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial } from '@nats-io/transport-node';
import { background as ctx } from '@samovar/context';
import { type NatsServer, natsLacking } from '@samovar/edatest/nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collect, connected, ownServer, pour, range } from '../testing.ts';

const stream = 'samovar';
const waiting = { timeout: 20_000, interval: 20 };

/** What stands between a server and its clients. */
class Relay {
  readonly #server = createServer((client) => this.#join(client));
  readonly #target: NatsServer;
  readonly #pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  #muted = false;

  private constructor(target: NatsServer) {
    this.#target = target;
  }

  static async start(target: NatsServer): Promise<Relay> {
    const relay = new Relay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    onTestFinished(() => {
      relay.cut();
      relay.#server.close();
    });
    return relay;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on what the server sends does not come to the clients; it does not notice. */
  mute(): void {
    this.#muted = true;
  }

  /** What the server sends comes again. */
  unmute(): void {
    this.#muted = false;
  }

  /** Breaks all connections; those made afterwards are whole. */
  cut(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
    this.#pairs.clear();
    this.unmute();
  }

  #join(client: Socket): void {
    const upstream = dialSocket(Number(new URL(this.#target.url).port), '127.0.0.1');
    this.#pairs.add([client, upstream]);
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      if (!this.#muted) client.write(bytes);
    });
    upstream.on('close', () => client.destroy());
  }
}

/** Resolves when the server believes that all readers of the log have had everything up to `position`. */
async function handedOver(server: NatsServer, position: number): Promise<void> {
  const nc = await dial({ servers: server.url.slice('nats://'.length) });
  onTestFinished(() => nc.close());
  const jsm = await jetstreamManager(nc);
  await vi.waitFor(async () => {
    const consumers = await collect(jsm.consumers.list(stream));
    expect(consumers.map(({ delivered }) => delivered.stream_seq)).toEqual([position, position]);
  }, waiting);
}

describe.skipIf(natsLacking() !== undefined)('a connection to an event log on NATS on which something is lost', () => {
  it.each([
    { loss: 'cut', more: 0 },
    { loss: 'cut', more: 4 },
    { loss: 'unmute', more: 4 },
  ] as const)(
    'gives readers and subscriptions what was lost, and what follows: $loss, $more',
    async ({ loss, more }) => {
      const server = await ownServer();
      const relay = await Relay.start(server);
      const near = await connected(server, {});
      const far = await connected(relay, {});
      const publish = async (count: number, from: number) => {
        for (const n of range(count, from)) await near.publish(ctx, 'cups.1', pour(n));
      };
      const seen: number[] = [];
      const watched: number[] = [];
      await far.subscribe('cups.1', (_, { data }) => void seen.push(data.json<number>()), { backfill: true });
      const watching = (async () => {
        const events = far.read(ctx, 'cups.1', { watch: true, limit: 8 + more });
        for await (const { data } of events) watched.push(data.json<number>());
      })();
      await publish(4, 0);
      await vi.waitFor(() => expect([seen, watched]).toEqual([range(4), range(4)]), waiting);
      relay.mute();
      await publish(4, 4);
      await handedOver(server, 8);
      relay[loss]();
      await publish(more, 8);
      await watching;
      expect(watched).toEqual(range(8 + more));
      await vi.waitFor(() => expect(seen).toEqual(range(8 + more)), waiting);
    },
  );
});
