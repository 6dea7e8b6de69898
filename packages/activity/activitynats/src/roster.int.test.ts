import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection, nuid } from '@nats-io/transport-node';
import { RecordingLogger } from '@samovar/activitytest';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { range } from '../testing.ts';
import { Bucket } from './bucket.ts';
import { type Heartbeat, Roster } from './roster.ts';

let server: NatsServer;
let nc: NatsConnection;
let bucket: Bucket<Heartbeat>;
let name: string;
let logger: RecordingLogger;

async function joined(): Promise<Roster> {
  const roster = new Roster(bucket, 60_000, logger);
  await roster.join();
  return roster;
}

/** The names of the workers that it knows. */
function known({ news }: Roster): string[] | undefined {
  return news.last?.all.map(({ worker }) => worker);
}

/** What the workers run that it knows, all together. */
function runs({ news }: Roster): string[] | undefined {
  return news.last?.all.flatMap(({ runs }) => [...runs]).toSorted();
}

function names(rosters: readonly Roster[]): string[] {
  return rosters.map(({ self }) => self).toSorted();
}

describe.skipIf(natsLacking() !== undefined)('Roster', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
    nc = await connect({ servers: server.url.slice('nats://'.length) });
  });
  afterAll(async () => {
    await nc.close();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    name = nuid.next();
    bucket = await Bucket.open(nc, { name, replicas: 1, timeoutMs: 5_000 });
    logger = new RecordingLogger();
  });

  it('knows thirty workers at the first look, and what has become of each after two more', async () => {
    const rosters = await Promise.all(range(30).map(joined));
    const [ann] = rosters as [Roster];
    await ann.lookAround();
    expect(known(ann)).toEqual(names(rosters));
    for (const round of range(3)) {
      await Promise.all(rosters.map((roster, n) => roster.announce(`repo/${round}-${n}`)));
      for (const _ of range(2)) await ann.lookAround();
      const all = range(round + 1).flatMap((round) => rosters.map((_, n) => `repo/${round}-${n}`));
      expect(runs(ann)).toEqual(all.toSorted());
    }
  });

  it('asks for few of the workers that it knows at once', async () => {
    const rosters = await Promise.all(range(40).map(joined));
    const [ann] = rosters as [Roster];
    await ann.lookAround();
    const get = vi.spyOn(bucket, 'get');
    await ann.lookAround();
    // One is its own heartbeat, which tells the time.
    expect(get).toHaveBeenCalledTimes(16 + 1);
    expect(known(ann)).toEqual(names(rosters));
  });

  it('forgets those that have left, and does not ask for them again', async () => {
    const rosters = await Promise.all(range(5).map(joined));
    const [ann, bob, ...left] = rosters as [Roster, Roster, ...Roster[]];
    await ann.lookAround();
    await Promise.all(left.map((roster) => roster.leave()));
    await ann.lookAround();
    expect(known(ann)).toEqual(names([ann, bob]));
    await bob.lookAround();
    expect(known(bob)).toEqual(names([ann, bob]));
    const get = vi.spyOn(bucket, 'get');
    for (const roster of [ann, bob]) await roster.lookAround();
    expect(new Set(get.mock.calls.flat())).toEqual(new Set(names([ann, bob])));
  });

  it('forgets all at once whose heartbeats the server has removed', async () => {
    const [ann, ...others] = (await Promise.all(range(40).map(joined))) as [Roster, ...Roster[]];
    await ann.lookAround();
    const { streams } = await jetstreamManager(nc);
    for (const { self } of others) await streams.purge(`KV_${name}`, { filter: `$KV.${name}.${self}` });
    await ann.lookAround();
    expect(known(ann)).toEqual([ann.self]);
  });

  it('knows its own worker also where that is not listed yet', async () => {
    const ann = await joined();
    await ann.announce('repo/tea');
    vi.spyOn(bucket, 'keys').mockResolvedValueOnce(new Set());
    await ann.lookAround();
    expect(ann.news.last).toEqual({ self: ann.self, all: [{ worker: ann.self, runs: new Set(['repo/tea']) }] });
  });

  it('has left when it has ended its look at the others', async () => {
    const ann = await joined();
    const done: string[] = [];
    const looking = ann.lookAround().then(() => done.push('looked'));
    await Promise.all([looking, ann.leave().then(() => done.push('left'))]);
    expect(done).toEqual(['looked', 'left']);
  });

  it('knows nothing of what a worker runs that does not tell', async () => {
    const ann = await joined();
    await ann.announce('repo/tea');
    await bucket.swap('elder', { given: 0 }, 0);
    await ann.lookAround();
    expect(known(ann)).toEqual([ann.self, 'elder'].toSorted());
    expect(runs(ann)).toEqual(['repo/tea']);
  });

  it('tells what it runs once', async () => {
    const ann = await joined();
    const swap = vi.spyOn(bucket, 'swap');
    for (const run of ['repo/tea', 'repo/milk', 'repo/tea']) await ann.announce(run);
    await Promise.all(range(100).map(() => ann.announce('repo/tea')));
    expect(swap).toHaveBeenCalledTimes(2);
    expect(await bucket.get(ann.self)).toMatchObject({ value: { runs: ['repo/tea', 'repo/milk'] } });
  });

  it('tells with the next sign of life what it could not tell at once', async () => {
    const ann = await joined();
    vi.spyOn(bucket, 'swap').mockRejectedValueOnce(new Error('spilt'));
    await ann.announce('repo/tea');
    expect(await bucket.get(ann.self)).toMatchObject({ value: { runs: [] } });
    await ann.beat();
    expect(await bucket.get(ann.self)).toMatchObject({ value: { runs: ['repo/tea'] } });
  });

  it('takes the workers to be as they were when it cannot look, and says so once', async () => {
    const ann = await joined();
    const bob = await joined();
    await ann.lookAround();
    const before = ann.news.last;
    const keys = vi.spyOn(bucket, 'keys');
    const get = vi.spyOn(bucket, 'get');
    await bob.leave();
    keys.mockRejectedValueOnce(new Error('spilt'));
    await ann.lookAround();
    get.mockRejectedValueOnce(new Error('spilt'));
    await ann.lookAround();
    expect(ann.news.last).toBe(before);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { err: expect.any(Error) } }]);
    await ann.lookAround();
    expect(known(ann)).toEqual([ann.self]);
    keys.mockRejectedValueOnce(new Error('spilt'));
    await ann.lookAround();
    expect(logger.lines).toHaveLength(2);
  });
});
