import { nuid } from '@nats-io/transport-node';
import type { Leases, Peers, WorkerLeases } from '@samovar/activity';
import { RecordingLogger } from '@samovar/activitytest';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { range } from '../testing.ts';
import { NatsWorkers } from './activitynats.ts';
import { Bucket } from './bucket.ts';

let server: NatsServer;
let open: AsyncDisposableStack;
let workers: NatsWorkers;
let logger: RecordingLogger;

async function joined(): Promise<WorkerLeases> {
  return open.use(await workers.join());
}

/** What its listeners are told, all of it. */
function told(leases: Leases): Peers[] {
  const all: Peers[] = [];
  leases.onPeers((peers) => all.push(peers));
  return all;
}

describe.skipIf(natsLacking() !== undefined)('A worker of NatsWorkers', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    open = new AsyncDisposableStack();
    logger = new RecordingLogger();
    workers = open.use(await NatsWorkers.open(server.url, { cluster: nuid.next(), leaseMs: 4_000, logger }));
  });
  afterEach(() => open.disposeAsync());

  it('knows the others when it has joined, and they hear of it, and of its leaving', async () => {
    const first = told(await joined());
    for (const _ of range(18)) await joined();
    const last = await joined();
    expect(told(last)[0]?.all).toHaveLength(20);
    await vi.waitFor(() => expect(first.at(-1)?.all).toHaveLength(20));
    await last[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(first.at(-1)?.all).toHaveLength(19));
    expect(logger.lines).toEqual([]);
  });

  it('joins, and stays alive, where it cannot look at the others, and knows them later', async () => {
    await joined();
    const keys = vi.spyOn(Bucket.prototype, 'keys').mockRejectedValue(new Error('spilt'));
    open.defer(() => keys.mockRestore());
    const leases = await joined();
    const heard = told(leases);
    // More than a lease time.
    const enough = keys.mock.calls.length + 7;
    await vi.waitFor(() => expect(keys.mock.calls.length).toBeGreaterThan(enough));
    expect(heard).toEqual([]);
    keys.mockRestore();
    await vi.waitFor(() => expect(heard.at(-1)?.all).toHaveLength(2));
    // One line of each.
    expect(logger.lines).toMatchObject(range(2).map(() => ({ message: expect.stringContaining('find out') })));
  });

  it('gives signs of life while it waits for a look at the others', async () => {
    await joined();
    const swap = vi.spyOn(Bucket.prototype, 'swap');
    const waiting = Promise.withResolvers<Set<string>>();
    const keys = vi.spyOn(Bucket.prototype, 'keys').mockReturnValue(waiting.promise);
    open.defer(() => {
      waiting.resolve(new Set());
      vi.restoreAllMocks();
    });
    await vi.waitFor(() => expect(keys).toHaveBeenCalled());
    const enough = swap.mock.calls.length + 3;
    await vi.waitFor(() => expect(swap.mock.calls.length).toBeGreaterThan(enough));
    expect(keys).toHaveBeenCalledOnce();
  });
});
