import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection, nuid } from '@nats-io/transport-node';
import { type ActivityKey, type Lease, type Leases, StaleLeaseError, type WorkerLeases } from '@samovar/activity';
import { RecordingLogger } from '@samovar/activitytest';
import { leasesContract } from '@samovar/activitytest/contract';
import { background as ctx } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { leaseMs, PausableClock, range, repo } from '../testing.ts';
import { NatsWorkers } from './activitynats.ts';

const patience = { timeout: 30_000, interval: 20 };
const tea: ActivityKey = { entity: repo(1), name: 'tea' };
const tail = (n: number) => String(n).padStart(26, '0') as EventId;

/** Workers of one cluster, each with a connection and a clock of its own. */
class TestWorkers implements AsyncDisposable {
  readonly logger = new RecordingLogger();
  readonly cluster = nuid.next();
  readonly clocks = new Map<Leases, PausableClock>();
  readonly #url: string;
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #open: AsyncDisposable[] = [];

  private constructor(url: string, nc: NatsConnection, jsm: JetStreamManager) {
    this.#url = url;
    this.#nc = nc;
    this.#jsm = jsm;
  }

  static async open(server: NatsServer): Promise<TestWorkers> {
    const servers = server.url.slice('nats://'.length);
    const nc = await connect({ servers });
    return new TestWorkers(server.url, nc, await jetstreamManager(nc));
  }

  async worker(): Promise<WorkerLeases> {
    const { cluster, logger } = this;
    const clock = new PausableClock();
    const workers = await NatsWorkers.open(this.#url, { cluster, leaseMs, clock, logger });
    const leases = await workers.join();
    this.clocks.set(leases, clock);
    this.#open.unshift(leases);
    this.#open.push(workers);
    return leases;
  }

  /** How many have a heartbeat. */
  async alive(): Promise<number> {
    const { state } = await this.#jsm.streams.info(this.#bucket, { subjects_filter: '>' });
    const subjects = Object.keys(state.subjects ?? {});
    const beats = subjects.map((subject) => this.#jsm.streams.getMessage(this.#bucket, { last_by_subj: subject }));
    return (await Promise.all(beats)).filter((beat) => beat !== null && beat.data.length > 0).length;
  }

  /** How many heartbeats were ever stored. */
  async beats(): Promise<number> {
    return (await this.#jsm.streams.info(this.#bucket)).state.last_seq;
  }

  async expire(silent: Leases): Promise<void> {
    const before = await this.alive();
    this.clocks.get(silent)?.pause();
    await vi.waitFor(async () => expect(await this.alive()).toBe(before - 1), patience);
  }

  /** Those whose clock does not stand still give signs of life by themselves. */
  async beat(leases: Leases): Promise<void> {
    this.clocks.get(leases)?.goOn();
  }

  /** Has the server keep heartbeats for ever. */
  async keepHeartbeats(): Promise<void> {
    await this.#jsm.streams.update(this.#bucket, { max_age: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open) await one[Symbol.asyncDispose]();
    await this.#nc.close();
  }

  get #bucket(): string {
    return `KV_${this.cluster}-workers`;
  }
}

let server: NatsServer;
let workers: TestWorkers;
let ann: WorkerLeases;
let bob: WorkerLeases;

async function claimed(leases: Leases, activity = tea): Promise<Lease> {
  const lease = await leases.claim(ctx, activity);
  if (lease === undefined) throw new Error('another worker has it');
  return lease;
}

describe.skipIf(natsLacking() !== undefined)('in NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  leasesContract('NatsLeases', () => TestWorkers.open(server));

  describe('NatsLeases', () => {
    beforeEach(async () => {
      workers = await TestWorkers.open(server);
      ann = await workers.worker();
      bob = await workers.worker();
    });
    afterEach(() => workers[Symbol.asyncDispose]());

    describe('of a worker that is alive', living);
    describe('of a worker that was silent', silent);
  });
  describe('NatsLeases', restarting);
  describe('NatsWorkers', opening);
});

function living(): void {
  it('are kept by signs of life, without one for each', { timeout: 30_000 }, async () => {
    const lease = await claimed(ann);
    // Both give six in the lease time.
    const enough = (await workers.beats()) + 2 * 6 * 2;
    await vi.waitFor(async () => expect(await workers.beats()).toBeGreaterThan(enough), patience);
    expect(await bob.claim(ctx, tea)).toBeUndefined();
    await ann.storeTail(ctx, lease, tail(1));
    expect(workers.logger.lines).toEqual([]);
  });

  it('are free when it has left, which can be asked for twice', async () => {
    await claimed(ann);
    expect(await bob.claim(ctx, tea)).toBeUndefined();
    await Promise.all([ann[Symbol.asyncDispose](), ann[Symbol.asyncDispose]()]);
    expect(await bob.claim(ctx, tea)).toBeDefined();
    await expect(ann.claim(ctx, tea)).rejects.toThrow('closed');
    expect(workers.logger.lines).toEqual([]);
  });

  it('are told from those of names that are alike', async () => {
    const names = ['te.a', 'te=2Ea', '.', '..', 'te_a', 'te-a'];
    await Promise.all(names.map((name) => claimed(ann, { ...tea, name })));
    await claimed(bob);
    for (const name of names) expect(await bob.claim(ctx, { ...tea, name })).toBeUndefined();
  });
}

function silent(): void {
  it('are lost when it goes on, even if nobody has claimed them', { timeout: 30_000 }, async () => {
    const lease = await claimed(ann);
    await workers.expire(ann);
    workers.clocks.get(ann)?.goOn();
    await vi.waitFor(() => expect(workers.logger.lines).toMatchObject([{ level: 'warn' }]), patience);
    await vi.waitFor(async () => expect(await workers.alive()).toBe(2), patience);
    await expect(ann.storeTail(ctx, lease, tail(1))).rejects.toThrow(StaleLeaseError);
    const next = await claimed(ann);
    expect(next.epoch).toBeGreaterThan(lease.epoch);
    expect(await bob.claim(ctx, tea)).toBeUndefined();
  });

  it('take what it stores before it finds out as long as nobody has claimed the activity', {
    timeout: 30_000,
  }, async () => {
    const lease = await claimed(ann);
    await workers.expire(ann);
    await ann.storeTail(ctx, lease, tail(1));
    expect(await claimed(bob)).toMatchObject({ tail: tail(1) });
    await expect(ann.storeTail(ctx, lease, tail(2))).rejects.toThrow(StaleLeaseError);
  });

  it('are free where the server is late to notice, and it finds that out', { timeout: 30_000 }, async () => {
    const lease = await claimed(ann);
    await workers.keepHeartbeats();
    workers.clocks.get(ann)?.pause();
    await vi.waitFor(async () => expect(await bob.claim(ctx, tea)).toBeDefined(), patience);
    expect(await workers.alive()).toBe(1);
    workers.clocks.get(ann)?.goOn();
    await vi.waitFor(() => expect(workers.logger.lines).toMatchObject([{ level: 'warn' }]), patience);
    await expect(ann.storeTail(ctx, lease, tail(1))).rejects.toThrow(StaleLeaseError);
    expect(await ann.claim(ctx, tea)).toBeUndefined();
  });

  it('are taken over, many at once, with their last tails', { timeout: 30_000 }, async () => {
    const keys = range(2_000).map((n) => ({ ...tea, name: `tea${n}` }));
    const leases = await Promise.all(keys.map((key) => claimed(ann, key)));
    for (const _ of range(2)) {
      const refused = await Promise.all(keys.map((key) => bob.claim(ctx, key)));
      expect(refused).toEqual(keys.map(() => undefined));
    }
    await Promise.all(leases.slice(0, 500).map((lease, n) => ann.storeTail(ctx, lease, tail(n))));
    await workers.expire(ann);
    const taken = await Promise.all(keys.map((key) => claimed(bob, key)));
    expect(taken.map(({ tail }) => tail)).toEqual(keys.map((_, n) => (n < 500 ? tail(n) : null)));
  });
}

function restarting(): void {
  it('lose nothing when the server is killed amid many, and go on when it is back', { timeout: 60_000 }, async () => {
    const own = await ownServer();
    const logger = new RecordingLogger();
    const open = async () => {
      const one = await NatsWorkers.open(own.url, { cluster: 'tests', leaseMs: 30_000, logger });
      const leases = await one.join();
      onTestFinished(async () => {
        await leases[Symbol.asyncDispose]();
        await one[Symbol.asyncDispose]();
      });
      return leases;
    };
    const [first, second] = [await open(), await open()];
    const keys = range(3_000).map((n) => ({ ...tea, name: `tea${n}` }));
    const leases = await Promise.all(keys.map((key) => claimed(first, key)));
    let stored = 0;
    let killed: Promise<void> | undefined;
    const store = async (lease: Lease, n: number): Promise<void> => {
      try {
        await first.storeTail(ctx, lease, tail(n));
        if (++stored === 1_000) killed = own.stop('SIGKILL').then(() => own.start());
      } catch (error) {
        if (error instanceof StaleLeaseError) throw error;
        await killed;
        await store(lease, n);
      }
    };
    await Promise.all(leases.map(store));
    await killed;
    expect(await Promise.all(keys.map((key) => second.claim(ctx, key)))).toEqual(keys.map(() => undefined));
    await Promise.all(leases.map((lease) => first.release(ctx, lease)));
    const taken = await Promise.all(keys.map((key) => claimed(second, key)));
    expect(taken.map(({ tail }) => tail)).toEqual(keys.map((_, n) => tail(n)));
  });
}

async function ownServer(settings?: string): Promise<NatsServer> {
  const own = await NatsServer.start(settings);
  onTestFinished(() => own[Symbol.asyncDispose]());
  return own;
}

function opening(): void {
  const logger = new RecordingLogger();
  const open = async (options: Partial<Parameters<typeof NatsWorkers.open>[1]>) => {
    const opened = await NatsWorkers.open(server.url, { cluster: 'tests', logger, ...options });
    onTestFinished(() => opened[Symbol.asyncDispose]());
    return opened;
  };

  it('has ten seconds for a lease, and takes a bucket with another time over', async () => {
    expect((await open({})).leaseMs).toBe(10_000);
    expect((await open({ leaseMs: 1_500.5 })).leaseMs).toBe(1_500.5);
    await using leases = await (await open({ leaseMs: 20_000 })).join();
    await claimed(leases);
  });

  it.each([
    ['a cluster', { cluster: 'a.b' }, 'cluster'],
    ['a lease time', { leaseMs: 999 }, '999'],
    ['a lease time', { leaseMs: Number.NaN }, 'NaN'],
  ])('refuses %s that cannot be', async (_, options, says) => {
    await expect(open(options)).rejects.toThrow(says);
  });

  it.each([
    ['a user', 'user: ann, password: "p@ss"', 'ann:p%40ss@'],
    ['a token', 'token: "s3cret"', 's3cret@'],
  ])('logs in as %s that the URL names', async (_, login, credentials) => {
    const own = await ownServer(`authorization { ${login} }`);
    const options = { cluster: 'tests', logger };
    await using opened = await NatsWorkers.open(own.url.replace('//', `//${credentials}`), options);
    await using leases = await opened.join();
    await claimed(leases);
    await expect(NatsWorkers.open(own.url, options)).rejects.toThrow(/authorization/i);
  });

  it('closes when the server is gone, and tells that others have to wait', { timeout: 30_000 }, async () => {
    const own = await ownServer();
    const recording = new RecordingLogger();
    const opened = await NatsWorkers.open(own.url, { cluster: 'tests', leaseMs: 1_000, logger: recording });
    const leases = await opened.join();
    await own.stop('SIGKILL');
    await leases[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
    expect(recording.lines.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('give its leases'),
    });
  });

  it('says so when there is no server', async () => {
    await expect(NatsWorkers.open('nats://127.0.0.1:1', { cluster: 'tests', logger })).rejects.toThrow();
  });
}
