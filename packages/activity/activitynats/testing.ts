import { writeSync } from 'node:fs';
import { endOfStream, type RepoActivity } from '@samovar/activity';
import { type Clock, systemClock } from '@samovar/activitycore';
import { connEntityEvents } from '@samovar/activityimpl';
import { LazyEngine } from '@samovar/activitylazy';
import { background } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { Uuid } from '@samovar/repos';
import { NatsWorkers } from './src/activitynats.ts';

export const leaseMs = 3_000;

export function range(to: number, from = 0): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

export function repo(n: number) {
  return { kind: 'repo', repoId: Uuid.parse(`0190f3a4-5b6c-7d8e-9f00-${String(n).padStart(12, '0')}`) } as const;
}

/** A clock that can stand still, as that of a process does that is paused. */
export class PausableClock implements Clock {
  #due: (() => void)[] | undefined;

  now(): number {
    return systemClock.now();
  }

  after(ms: number, fn: () => void): Disposable {
    return systemClock.after(ms, () => {
      if (this.#due === undefined) fn();
      else this.#due.push(fn);
    });
  }

  pause(): void {
    this.#due ??= [];
  }

  goOn(): void {
    const due = this.#due ?? [];
    this.#due = undefined;
    for (const fn of due) fn();
  }
}

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Claims an activity of each of so many repositories, and says the numbers of those that it got, in one line. */
export async function claim(url: string, cluster: string, count: number): Promise<void> {
  const workers = await NatsWorkers.open(url, { cluster, leaseMs, logger });
  const leases = await workers.join();
  process.stdin.once('data', async () => {
    const claimed = await Promise.all(
      range(count).map((n) => leases.claim(background, { entity: repo(n), name: 'tea' })),
    );
    writeSync(1, `${claimed.flatMap((lease, n) => (lease === undefined ? [] : n)).join()}\n`);
  });
  writeSync(1, 'ready\n');
}

/**
 * Runs an activity of each of so many repositories, over a log, until the process is killed. It says `<repository> <event's type>` for
 * each event, and, for each line that it reads, `states`, and those of all.
 */
export async function work(url: string, cluster: string, count: number, conn: Conn): Promise<void> {
  const workers = await NatsWorkers.open(url, { cluster, leaseMs, logger });
  const leases = await workers.join();
  // Whoever has an activity keeps it.
  leases.onPeers = () => new DisposableStack();
  const engine = new LazyEngine({ events: connEntityEvents(conn), leases, logger, claimEveryMs: leaseMs / 10 });
  const telling: RepoActivity['processRepoEvents'] = async (_, repoId, tail, events) => {
    let last = tail;
    for await (const { id, type } of events) {
      writeSync(1, `${repoId} ${type}\n`);
      last = id;
    }
    return endOfStream(last);
  };
  for (const n of range(count)) await engine.startRepoActivity(background, repo(n).repoId, telling, { name: 'tea' });
  const say = () => {
    const states = engine.activities().map(({ state }) => state);
    writeSync(1, `states ${states.join()}\n`);
  };
  say();
  process.stdin.on('data', say);
}
