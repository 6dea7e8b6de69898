import { nuid } from '@nats-io/transport-node';
import { entityStream } from '@samovar/activity';
import { background as ctx } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { LogProcess } from '@samovar/edatest/processes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type claim, range, repo, type work } from '../testing.ts';

const patience = { timeout: 30_000, interval: 20 };
const count = 5;

let server: NatsServer;
let cluster: string;
let conn: Conn;
let published: number;

interface Jobs {
  readonly claim: typeof claim;
  readonly work: typeof work;
}

/** A process of the running test that does this for so many repositories. */
function started(job: keyof Jobs, count: number): LogProcess {
  const args: Parameters<Jobs['claim']> = [server.url, cluster, count];
  const options = JSON.stringify({ cluster, logger: null });
  const open = `(await import('@samovar/edaimpl')).connect('${server.url}', ${options})`;
  const program = `(await import('./testing.ts')).${job}(${args.map((arg) => JSON.stringify(arg)).join()}, conn);`;
  const child = new LogProcess({ code: open, folder: `${import.meta.dirname}/..` }, program);
  onTestFinished(() => child.kill());
  return child;
}

async function startedWorker(): Promise<LogProcess> {
  const worker = started('work', count);
  await worker.says(1);
  return worker;
}

/** One more event for each repository; its type is its number. */
async function publish(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const type = String(published++);
    await Promise.all(range(count).map((n) => conn.publish(ctx, entityStream(repo(n)), { type })));
  }
}

/** The events of a repository that a worker has handled, in order. */
function handled({ said }: LogProcess, n: number): number[] {
  return said.filter((line) => line.startsWith(repo(n).repoId)).map((line) => Number(line.split(' ')[1]));
}

/** Resolves when it has handled this event of all repositories. */
async function handles(worker: LogProcess, last: number): Promise<void> {
  await vi.waitFor(() => {
    for (const n of range(count)) expect(handled(worker, n)).toContain(last);
  }, patience);
}

/** The states of its activities. */
async function states(worker: LogProcess): Promise<string[]> {
  const told = () => worker.said.filter((line) => line.startsWith('states'));
  const before = told().length;
  worker.nudge();
  await vi.waitUntil(() => told().length > before, patience);
  return told().at(-1)?.slice('states '.length).split(',') ?? [];
}

const all = (state: string) => range(count).map(() => state);

describe.skipIf(natsLacking() !== undefined)('processes that share leases in NATS', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    cluster = nuid.next();
    conn = await connect(server.url, { cluster, logger: null });
    published = 0;
  });
  afterEach(() => conn.close());

  it('have one owner for each activity that they race for', { timeout: 60_000 }, async () => {
    const racing = range(2).map(() => started('claim', 200));
    for (const child of racing) await child.says(1);
    for (const child of racing) child.nudge();
    for (const child of racing) await child.says(2);
    const claimed = racing.flatMap(({ said }) => (said[1] ?? '').split(',').filter((n) => n !== ''));
    expect(claimed.map(Number).toSorted((a, b) => a - b)).toEqual(range(200));
  });

  describe('and run activities over a log there', working);
});

function working(): void {
  it('take over where one was killed, and go on behind its tails', { timeout: 60_000 }, async () => {
    const killed = await startedWorker();
    const heir = await startedWorker();
    await publish(50);
    await handles(killed, 40);
    expect(await states(heir)).toEqual(all('waiting'));
    await killed.kill();
    await publish(20);
    await handles(heir, published - 1);
    for (const n of range(count)) {
      const [before, after] = [handled(killed, n), handled(heir, n)];
      expect(before).toEqual(range(before.length));
      // No event is left out; what was not stored any more comes twice.
      expect(after).toEqual(range(published, after[0]));
      expect(after[0]).toBeLessThanOrEqual(before.length);
    }
  });

  it('refuse the tails of one that stood still for longer than its lease', { timeout: 60_000 }, async () => {
    const paused = await startedWorker();
    const heir = await startedWorker();
    await publish(50);
    await handles(paused, 30);
    paused.signal('SIGSTOP');
    await publish(20);
    await handles(heir, published - 1);
    paused.signal('SIGCONT');
    await vi.waitFor(async () => expect(await states(paused)).toEqual(all('waiting')), patience);
    await publish(5);
    await handles(heir, published - 1);
    for (const n of range(count)) {
      const after = handled(heir, n);
      expect(after).toEqual(range(published, after[0]));
      expect(handled(paused, n).at(-1)).toBeLessThan(70);
    }
  });

  it('go on, each with its own, when the server was killed and is back', { timeout: 60_000 }, async () => {
    const own = await NatsServer.start();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const shared = server;
    server = own;
    onTestFinished(() => {
      server = shared;
    });
    await conn.close();
    conn = await connect(server.url, { cluster, logger: null });
    const first = await startedWorker();
    const second = await startedWorker();
    await publish(20);
    await own.stop('SIGKILL');
    await own.start();
    await publish(20);
    await handles(first, published - 1);
    expect(await states(second)).toEqual(all('waiting'));
    for (const n of range(count)) {
      expect(new Set(handled(first, n))).toEqual(new Set(range(published)));
      expect(handled(second, n)).toEqual([]);
    }
  });
}
