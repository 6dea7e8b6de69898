import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { entityStream } from '@samovar/activity';
import { background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { FreshDb } from '@samovar/dbtest';
import { describeOnDatabases } from '@samovar/dbtest/databases';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDb, repos, type work } from '../testing.ts';

interface Tables {
  readonly activity_leases: { readonly activity: string; readonly tail: string | null };
}

describeOnDatabases(openDb, (name, fresh) => {
  describe(`workers of one log that share leases on ${name}`, () => {
    let folder: string;
    let logUrl: string;
    let database: FreshDb;
    let conn: Conn;
    let workers: Worker[];
    let published: number;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'samovar-activity-'));
      logUrl = `sqlite:${join(folder, 'events.db')}`;
      conn = await connect(logUrl, { logger: null });
      database = await fresh();
      workers = [];
      published = 0;
    });
    afterEach(async () => {
      for (const worker of workers) await worker.kill();
      await conn.close();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const start = async () => {
      const worker = new Worker(logUrl, database.url);
      workers.push(worker);
      await worker.says(/^states/);
      return worker;
    };

    /** One more event for each repository; its type is its number. */
    const publish = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const type = String(published++);
        await Promise.all(repos.map((repo) => conn.publish(ctx, entityStream(repo), { type })));
      }
    };

    /** Waits until the tail of each activity is the last event of its repository. */
    const areThrough = async () => {
      const heads = await Promise.all(repos.map((repo) => conn.head(ctx, entityStream(repo))));
      await vi.waitFor(async () => expect(await tails(database.db)).toEqual(heads), { timeout: 20_000, interval: 20 });
    };

    it('take over within the lease time where one was killed, and go on behind its tails', async () => {
      const killed = await start();
      const heir = await start();
      await publish(50);
      await killed.says(/ 40$/);
      expect(await heir.states()).toEqual(repos.map(() => 'waiting'));
      await killed.kill();
      await publish(1);
      await heir.says(/ 50$/);
      await publish(20);
      await areThrough();
      await hasSaid(heir, published - 1);
      for (const { repoId } of repos) {
        const [before, after] = [killed, heir].map((worker) => worker.handled(repoId)) as [number[], number[]];
        expect(after).toEqual(range(after[0] ?? Number.NaN, published));
        expect(before).toEqual(range(0, before.length));
        // No event is left out; what was not stored any more comes twice.
        expect(after[0]).toBeLessThanOrEqual(before.length);
      }
    });

    it('refuse the tails of one that stood still for longer than its lease', async () => {
      const paused = await start();
      const heir = await start();
      await publish(50);
      // One that stands still amid a commit holds up everybody on one SQLite file.
      await areThrough();
      paused.signal('SIGSTOP');
      await publish(20);
      await heir.says(/ 69$/);
      await areThrough();
      paused.signal('SIGCONT');
      await vi.waitFor(async () => expect(await paused.states()).toEqual(repos.map(() => 'waiting')), {
        timeout: 10_000,
        interval: 50,
      });
      await publish(5);
      await areThrough();
      await hasSaid(heir, 74);
      for (const { repoId } of repos) {
        expect(heir.handled(repoId)).toEqual(range(heir.handled(repoId)[0] ?? Number.NaN, 75));
        expect(paused.handled(repoId).at(-1)).toBeLessThan(70);
      }
    });
  });
});

/** What is stored may be ahead of what has been heard of it. */
async function hasSaid(worker: Worker, last: number): Promise<void> {
  await vi.waitFor(() => {
    for (const { repoId } of repos) expect(worker.handled(repoId).at(-1)).toBe(last);
  });
}

/** A process that runs {@link work}. */
class Worker {
  readonly #said: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(...urls: Parameters<typeof work>) {
    const program = `
      const { work } = await import('./testing.ts');
      await work(${urls.map((url) => JSON.stringify(url)).join()});`;
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    const cwd = join(import.meta.dirname, '..');
    this.#process = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.#said.push(line));
    this.#closed = once(lines, 'close');
  }

  /** Resolves when it has said that. */
  async says(what: RegExp): Promise<void> {
    await vi.waitUntil(() => this.#said.some((line) => what.test(line)), { timeout: 20_000, interval: 1 });
  }

  /** The states of its activities. */
  async states(): Promise<readonly string[]> {
    const before = this.#states().length;
    this.#process.stdin?.write('\n');
    await vi.waitUntil(() => this.#states().length > before, { timeout: 10_000, interval: 1 });
    return this.#states().at(-1)?.slice('states '.length).split(',') ?? [];
  }

  /** The events of a repository that it has handled, in order. */
  handled(repoId: string): number[] {
    return this.#said.filter((line) => line.startsWith(repoId)).map((line) => Number(line.split(' ')[1]));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }

  #states(): readonly string[] {
    return this.#said.filter((line) => line.startsWith('states'));
  }
}

async function tails(db: Db): Promise<(string | null)[]> {
  const rows = await db.query<Tables>(ctx).selectFrom('activity_leases').selectAll().orderBy('activity').execute();
  return rows.map(({ tail }) => tail);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
