import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { background as ctx } from '@samovar/context';
import type { Db } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetful, numbered, numbers, openDb, TestOutbox } from '../testing.ts';

// REPEATS=49 pnpm test:crash runs each of these 50 times.
const repeats = Number(process.env.REPEATS ?? 0);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres[Symbol.asyncDispose]());

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each([
  ['SQLite', () => freshSqlite(openDb)],
  ['PostgreSQL', () => postgres.freshDb(openDb)],
] as const)('on %s', (_, open) => {
  let folder: string;
  let opened: FreshDb<Db & AsyncDisposable>;
  let conn: Conn;
  let children: Child[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samovar-outbox-'));
    opened = await open();
    conn = await connect(`sqlite:${join(folder, 'events.db')}`, { logger: null });
    children = [];
  });
  afterEach(async () => {
    for (const child of children) await child.kill();
    await conn.close();
    await opened[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** Another process on the same database and log that runs `code`, and says what it gives to `say`. */
  function start(code: string): Child {
    const program = `
      import { writeSync } from 'node:fs';
      import { once } from 'node:events';
      import { background as ctx } from '@samovar/context';
      import { connect } from '@samovar/edaimpl';
      const { numbered, openDb, publishing, TestOutbox } = await import('./testing.ts');
      const say = (text) => writeSync(1, text + '\\n');
      const nudged = () => once(process.stdin, 'data');
      const db = await openDb(${JSON.stringify(opened.url)});
      const conn = await connect(${JSON.stringify(`sqlite:${join(folder, 'events.db')}`)}, { logger: null });
      setInterval(() => {}, 1_000);
      ${code}`;
    const child = new Child(program);
    children.push(child);
    return child;
  }

  it('a kill -9 between commit and relay loses no event, and one before the commit sends none', {
    repeats,
  }, async () => {
    const child = start(`
      const { outbox } = new TestOutbox(db, conn);
      for (const n of [0, 1, 2]) await outbox.add(ctx, 's', numbered(n));
      await db.inTransaction(ctx, async (ctx) => {
        await outbox.add(ctx, 's', numbered(3));
        say('added');
        await new Promise(() => {});
      });`);
    await child.says(1);
    await child.kill();
    await using test = new TestOutbox(opened.db, conn).start();
    await test.outbox.add(ctx, 's', numbered(4));
    await test.outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual([0, 1, 2, 4]);
  });

  it('a kill -9 between publishing and deleting stores nothing twice, also when keys are forgotten', {
    repeats,
  }, async () => {
    const child = start(`
      let published = 0;
      const stopping = publishing(conn, async (real, ...args) => {
        const id = await real(...args);
        if (++published < 3) return id;
        say('published');
        return await new Promise(() => {});
      });
      const { outbox } = new TestOutbox(db, stopping).start();
      await db.inTransaction(ctx, async (ctx) => {
        for (const n of [0, 1, 2, 3, 4]) await outbox.add(ctx, 's', numbered(n));
      });`);
    await child.says(1);
    await child.kill();
    expect(await numbers(conn, 's')).toEqual([0, 1, 2]);
    await using test = new TestOutbox(opened.db, forgetful(conn));
    const rows = await test.outbox.listRows(ctx, { state: 'waiting' });
    expect(rows.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
    test.start();
    await test.outbox.flushed(ctx);
    expect(await numbers(conn, 's')).toEqual([0, 1, 2, 3, 4]);
  });

  it('two relays at once send each event once, in order, also when one is killed', { repeats }, async () => {
    const code = (first: number, end: number) => `
      const { outbox } = new TestOutbox(db, conn, { leaseMs: 400 }).start();
      say('ready');
      await nudged();
      for (let n = ${first}; n < ${end}; n += 2) {
        await outbox.add(ctx, 's.' + (n % 3), numbered(n));
        say(String(n));
      }`;
    const [one, two] = [start(code(0, 100_000)), start(code(1, 240))];
    await Promise.all([one.says(1), two.says(1)]);
    one.nudge();
    two.nudge();
    await one.says(30);
    await one.kill();
    await two.says(121);
    await new TestOutbox(opened.db, conn).outbox.flushed(ctx);
    const committed = one.said.slice(1).map(Number);
    const found = await Promise.all(range(3).map((s) => numbers(conn, `s.${s}`)));
    for (const all of found) {
      expect(new Set(all).size).toBe(all.length);
      for (const parity of [0, 1]) {
        const ofOne = all.filter((n) => n % 2 === parity);
        expect(ofOne).toEqual(ofOne.toSorted((a, b) => a - b));
      }
    }
    const all = found.flat().sort((a, b) => a - b);
    const ofTwo = range(120).map((n) => 2 * n + 1);
    expect(all.filter((n) => n % 2 === 1)).toEqual(ofTwo);
    // One more may have been committed than it could say.
    expect(all.filter((n) => n % 2 === 0).slice(0, committed.length)).toEqual(committed);
    expect(all.length - ofTwo.length - committed.length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['as soon as its time is over', 'real(ctx, stream, event, options)'],
    ['whatever its time, and without keys', 'real(background, stream, event, { expectedHead: options.expectedHead })'],
  ])(
    'a relay that is stopped beyond its lease neither repeats nor reorders: it publishes %s',
    { repeats },
    async (_, publish) => {
      const child = start(`
      import { background } from '@samovar/context';
      let arrived = 0;
      const stopping = publishing(conn, async (real, ctx, stream, event, options) => {
        if (++arrived === 3) {
          say('arrived');
          await nudged();
          const late = ${publish};
          say(await late.then(() => 'published', (error) => error.id));
          return await late;
        }
        return await real(ctx, stream, event, options);
      });
      const { outbox } = new TestOutbox(db, stopping, { leaseMs: 400 }).start();
      await db.inTransaction(ctx, async (ctx) => {
        for (const n of [0, 1, 2, 3, 4]) await outbox.add(ctx, 's', numbered(n));
      });
      await nudged();
      await nudged();
      await outbox.add(ctx, 's', numbered(6));
      await outbox.flushed(ctx);
      say('flushed');`);
      await child.says(1);
      child.signal('SIGSTOP');
      await using test = new TestOutbox(opened.db, conn, { leaseMs: 400 }).start();
      await test.outbox.flushed(ctx);
      expect(await numbers(conn, 's')).toEqual([0, 1, 2, 3, 4]);
      child.nudge();
      child.signal('SIGCONT');
      await child.says(2);
      expect(['context.deadlineExceeded', 'context.canceled', 'eda.headConflict']).toContain(child.said[1]);
      await test.outbox.add(ctx, 's', numbered(5));
      await test.outbox.flushed(ctx);
      child.nudge();
      await child.says(3);
      expect(await numbers(conn, 's')).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(await test.outbox.getStatus(ctx, {})).toEqual({ waiting: 0, stuck: 0, skipped: 0, oldest: null });
    },
  );
});

class Child {
  readonly said: string[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(program: string) {
    const args = ['--conditions=@samovar/source', '--input-type=module', '--eval', program];
    const cwd = join(import.meta.dirname, '..');
    this.#process = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.said.push(line));
    this.#closed = once(lines, 'close');
  }

  /** Resolves when it has said this much. */
  async says(count: number): Promise<void> {
    await vi.waitUntil(() => this.said.length >= count, { timeout: 20_000, interval: 1 });
  }

  /** Lets it go on where it reads from its standard input. */
  nudge(): void {
    this.#process.stdin?.write('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }
}
