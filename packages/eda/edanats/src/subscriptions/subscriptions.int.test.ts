import { errors, nuid } from '@nats-io/transport-node';
import { MemoryParked, type ParkedChange, type ParkedRow, type Seq, type StoredSubscription } from '@samovar/edacore';
import { NatsCluster, NatsServer, natsClusterLacking, natsLacking } from '@samovar/edatest/nats';
import { parseNatsUrl } from '@samovar/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { range } from '../../testing.ts';
import { NatsLog } from '../natslog.ts';
import { NatsSubscriptions } from './subscriptions.ts';

let server: NatsServer;
let cluster: string;

/** What a process of its own has of the bucket; with `lost`, so many of its writes seem to fail, but are stored. */
async function opened(lost = 0, url = server.url): Promise<NatsSubscriptions> {
  const log = await NatsLog.open(parseNatsUrl(url, Error), cluster, {
    replicas: url === server.url ? 1 : 3,
  });
  const publish = log.js.publish.bind(log.js);
  let left = lost;
  log.js.publish = async (...args) => {
    const answer = await publish(...args);
    if (left-- > 0) throw new errors.TimeoutError();
    return answer;
  };
  const subscriptions = new NatsSubscriptions(log);
  onTestFinished(async () => {
    subscriptions.close();
    await log.close();
  });
  await subscriptions.ready();
  return subscriptions;
}

const offset = { high: 0, pending: [], acked: 0, last: null };
const sign = { owner: 'a', epoch: 1, beat: 0, expires: 0 };
const fresh: StoredSubscription = { selector: '>', options: {}, offset, ...sign, shares: [] };
const rowOf = (seq: Seq, attempts = 1): ParkedRow => {
  return { seq, key: 'k', attempts, error: 'é'.repeat(200), since: 0, request: '' };
};
const park = (...rows: ParkedRow[]): ParkedChange => ({
  parked: new Map(rows.map((row) => [row.seq, row])),
  waiting: new Map(),
});
const stateOf = (parked: Pick<MemoryParked, 'rows' | 'waiting' | 'waitingKeys'>) => ({
  rows: parked.rows(0, 1e6),
  waiting: parked.waitingKeys(undefined, 1e6).map((key) => [key, parked.waiting(key, 0, 1e6)]),
});

/** Changes the same subscription from several processes at once. */
async function counting(open: () => Promise<NatsSubscriptions>): Promise<void> {
  const processes = [await open(), await open(), await open()];
  await processes[0]?.change('n', () => fresh);
  const change = (subscriptions: NatsSubscriptions) =>
    subscriptions.change('n', (stored = fresh) => ({ ...stored, beat: stored.beat + 1 }));
  const changes = processes.map(async (subscriptions) => {
    for (const _ of range(30)) await change(subscriptions);
  });
  await Promise.all(changes);
  for (const subscriptions of processes) await subscriptions.ready();
  expect(processes.map((subscriptions) => subscriptions.peek('n')?.beat)).toEqual([90, 90, 90]);
}

describe.skipIf(natsLacking() !== undefined)('what is stored of subscriptions', () => {
  beforeAll(async () => {
    server = await NatsServer.start('max_payload: 64KB');
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    cluster = nuid.next();
  });

  it('is changed by one process after another, and by none on what it has not seen', async () => {
    await counting(() => opened());
  });

  const onThree = { timeout: 120_000, skip: natsClusterLacking() !== undefined };
  it('is so on three servers too, that look at revisions too early', onThree, async () => {
    const nodes = await NatsCluster.start();
    onTestFinished(() => nodes[Symbol.asyncDispose]());
    await counting(() => vi.waitFor(() => opened(0, nodes.url), { timeout: 60_000, interval: 100 }));
  });

  it('is changed once by a write whose answer is lost', async () => {
    const mine = await opened(3);
    for (const _ of range(3)) await mine.change('n', (stored = fresh) => ({ ...stored, beat: stored.beat + 1 }));
    expect(mine.peek('n')?.beat).toBe(3);
    expect((await opened()).peek('n')?.beat).toBe(3);
  });

  it('is the same wherever it is looked at, whatever was parked and requested', async () => {
    const [mine, theirs] = await Promise.all([opened(), opened()]);
    const model = new MemoryParked();
    let random = 7;
    const upTo = (most: number) => {
      random = (random * 48_271) % 2_147_483_647;
      return random % most;
    };
    for (const round of range(120)) {
      const parked = new Map(
        range(upTo(4))
          .map(() => upTo(300))
          .map((seq) => [seq, upTo(2) ? rowOf(seq, round) : null]),
      );
      const waiting = new Map(range(upTo(90)).map((n) => [1000 + round * 90 + n, { key: `k${n % 5}`, waits: true }]));
      for (const key of model.waitingKeys(undefined, upTo(3))) {
        for (const seq of model.waiting(key, 0, upTo(60))) waiting.set(seq, { key, waits: false });
      }
      await mine.change('n', (stored = fresh) => ({ ...stored, parked: { parked, waiting } }));
      model.apply({ parked, waiting });
      expect(stateOf(mine.parked('n'))).toEqual(stateOf(model));
      const [row] = model.rows(upTo(300), 1);
      if (row === undefined || row.request !== '' || upTo(4) > 0) continue;
      await theirs.ready();
      expect(await theirs.request('n', [row.seq], 'replay')).toEqual([]);
      model.request([row.seq], 'replay');
      await mine.ready();
    }
    await theirs.ready();
    for (const subscriptions of [mine, theirs, await opened()]) {
      expect(stateOf(subscriptions.parked('n'))).toEqual(stateOf(model));
    }
    await theirs.change('n', (stored = fresh) => ({ ...stored, parked: 'none' }));
    await mine.ready();
    expect([mine.parked('n').countWaiting(), mine.parked('n').count()]).toEqual([0, 0]);
  });

  it('takes more in one change than fits into a message', async () => {
    const mine = await opened();
    const waiting = new Map(range(20_000).map((n) => [n + 1, { key: 'a rather long key', waits: true }]));
    await mine.change('n', () => ({ ...fresh, parked: { parked: new Map(), waiting } }));
    const theirs = await opened();
    expect(theirs.parked('n').waiting('a rather long key', 0, 30_000)).toEqual([...waiting.keys()]);
  });

  it('takes one of two requests for the same event, and all or none of one', async () => {
    const processes = await Promise.all([opened(), opened()]);
    await processes[0]?.change('n', () => ({ ...fresh, parked: park(rowOf(1), rowOf(2), rowOf(3)) }));
    for (const subscriptions of processes) await subscriptions.ready();
    const [first, second] = await Promise.all([
      processes[0]?.request('n', [1, 2], 'replay'),
      processes[1]?.request('n', [2, 3], 'skip'),
    ]);
    expect([first, second]).toSatisfy((answers) => {
      return [`[[],[2]]`, `[[2],[]]`].includes(JSON.stringify(answers));
    });
    for (const subscriptions of processes) {
      await subscriptions.ready();
      const requests = subscriptions
        .parked('n')
        .rows(0, 9)
        .map(({ request }) => request);
      expect(requests).toEqual(first?.length === 0 ? ['replay', 'replay', ''] : ['', 'skip', 'skip']);
    }
    expect(await processes[0]?.request('nobody', [1], 'skip')).toEqual([1]);
  });

  it('is gone when it is dropped, elsewhere too, and may be stored anew', async () => {
    const [mine, theirs] = await Promise.all([opened(), opened()]);
    await mine.change('n', () => ({ ...fresh, parked: park(rowOf(1)) }));
    await theirs.ready();
    await theirs.drop('n');
    await mine.ready();
    expect([theirs.peek('n'), theirs.all(), theirs.parked('n').count()]).toEqual([undefined, [], 0]);
    expect([mine.peek('n'), mine.all(), mine.parked('n').count()]).toEqual([undefined, [], 0]);
    const stored = await mine.change('n', (_, newEpoch) => ({ ...fresh, epoch: newEpoch() }));
    expect(stored?.epoch).not.toBe(fresh.epoch);
    expect((await opened()).all()).toEqual([['n', expect.objectContaining({ epoch: stored?.epoch })]]);
  });
});
