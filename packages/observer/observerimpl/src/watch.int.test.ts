import { addAbortListener } from 'node:events';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessEngines } from '@samovar/activityimpl';
import { FakeEntityEvents, FakeLeases, RecordingLogger } from '@samovar/activitytest';
import { background, type Context, throwIfDone, withCancel } from '@samovar/context';
import { GetRepoQuery, NotARepositoryError, ScanRepoCommand, type Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Services } from '../testing.ts';
import { ObservingService } from './background.ts';
import { Scans } from './scans.ts';
import { ObserverService } from './service.ts';

const soon = { timeout: 2000, interval: 20 };

/** Repositories whose scans ask git what there is. */
class ScannedRepos {
  readonly services: Services;
  readonly scans: { readonly commits: number; readonly head: string }[] = [];
  /** Scans that were begun. */
  begun = 0;
  running = 0;
  mostRunning = 0;
  /** Scans wait for it. */
  gate: Promise<void> = Promise.resolve();
  readonly #folder: GitFolder;

  constructor(events: FakeEntityEvents, folder: GitFolder) {
    this.#folder = folder;
    this.services = new Services(events);
    this.services.bus.use((ctx, message, args, next) =>
      message === ScanRepoCommand ? this.#scan(ctx, (args as ScanRepoCommand).repoId) : next(ctx, args),
    );
  }

  get last() {
    return this.scans.at(-1);
  }

  async #scan(ctx: Context, repoId: Uuid): Promise<{ recorded: number }> {
    const { path } = await this.services.bus.dispatch(ctx, GetRepoQuery, { repoId });
    this.begun++;
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    try {
      await this.#passGate(ctx);
      const commits = await this.#folder.run(path, ['rev-list', '--all', '--count']);
      const at = await this.#folder.run(path, ['rev-parse', '--symbolic-full-name', 'HEAD']);
      this.scans.push({ commits: Number(commits), head: at });
      return { recorded: 0 };
    } catch {
      throwIfDone(ctx);
      throw new NotARepositoryError(path, 'git says so');
    } finally {
      this.running--;
    }
  }

  async #passGate(ctx: Context): Promise<void> {
    const done = Promise.withResolvers<void>();
    using _listener = addAbortListener(ctx.signal, () => done.resolve());
    await Promise.race([this.gate, done.promise]);
    throwIfDone(ctx);
  }
}

let folder: GitFolder;
let path: string;
let repos: ScannedRepos;
let observer: ObserverService;
let observing: ObservingService;
let engines: ProcessEngines;
let leases: FakeLeases;
let logger: RecordingLogger;
let running: { stop(): Promise<void> } | undefined;

function make(cronMs = 3_600_000): void {
  const events = new FakeEntityEvents();
  logger = new RecordingLogger();
  repos = new ScannedRepos(events, folder);
  const { bus } = repos.services;
  const scans = new Scans(bus, logger);
  leases = new FakeLeases();
  engines = new ProcessEngines({ events, leases, logger, cronMs });
  observer = new ObserverService(bus, scans, logger);
  observing = new ObservingService({ bus, engines, events, logger }, scans, observer);
}

function run(): void {
  const scope = withCancel(background);
  const settled = Promise.allSettled([observing.run(scope.ctx)]);
  running = {
    stop: async () => {
      scope.cancel();
      await settled;
      await engines.stop();
      running = undefined;
    },
  };
}

const lines = () => logger.lines.map(({ message, fields }) => `${message}: ${String(fields.path)}`);
async function observe(folder: string) {
  repos.services.repos.addRepository(folder);
  return await observer.observeFolders(background, { folders: [folder], registry: 'main' });
}
const commits = (count: number) => vi.waitFor(() => expect(repos.last).toMatchObject({ commits: count }), soon);
/** The scan that follows the start of watching is through. */
const watching = (scans = 2) => vi.waitFor(() => expect(repos.scans.length).toBeGreaterThanOrEqual(scans), soon);

beforeEach(async () => {
  folder = await GitFolder.make();
  path = await folder.init('repo');
  await folder.commit(path);
  make();
});
afterEach(async () => {
  await running?.stop();
  await engines.stop();
  await folder[Symbol.asyncDispose]();
});

describe('what is recorded soon', () => {
  it('commits, branches, tags and HEAD’s moves', async () => {
    run();
    await observe(path);
    await watching();
    await folder.commit(path);
    await commits(2);
    await folder.run(path, ['checkout', '-q', '-b', 'feature/deep/er']);
    await vi.waitFor(() => expect(repos.last?.head).toBe('refs/heads/feature/deep/er'), soon);
    await folder.commit(path);
    await commits(3);
    await folder.run(path, ['checkout', '-q', 'main']);
    await vi.waitFor(() => expect(repos.last?.head).toBe('refs/heads/main'), soon);
    const hash = await folder.run(path, ['commit-tree', '-m', 'loose', 'HEAD^{tree}']);
    await folder.run(path, ['tag', 'loose', hash]);
    await commits(4);
    await folder.run(path, ['pack-refs', '--all', '--prune']);
    await folder.commit(path);
    await commits(5);
  });

  it('commits of linked work trees', async () => {
    const linked = join(folder.path, 'linked');
    await folder.run(path, ['worktree', 'add', '-q', '--detach', linked]);
    run();
    await observe(path);
    await watching();
    await folder.commit(linked);
    await commits(2);
  });

  it('commits to the repository that a linked work tree belongs to', async () => {
    const linked = join(folder.path, 'linked');
    await folder.run(path, ['worktree', 'add', '-q', '--detach', linked]);
    run();
    await observe(linked);
    await watching();
    await folder.commit(path);
    await commits(2);
    await folder.run(linked, ['checkout', '-q', '-b', 'side']);
    await vi.waitFor(() => expect(repos.last?.head).toBe('refs/heads/side'), soon);
  });

  it('commits to bare repositories, and first ones', async () => {
    const bare = await folder.init('bare.git', '--bare');
    await folder.run(path, ['push', '-q', bare, 'main']);
    run();
    await observe(bare);
    await watching();
    await folder.commit(path);
    await folder.run(path, ['push', '-q', bare, 'main']);
    await commits(2);
  });

  it('what is seen here, although another worker runs the activities', async () => {
    const [repo] = (await observe(path)).repos;
    const other = leases.another();
    for (const name of ['ObserveRepo', 'RescanRepo']) {
      await other.claim(background, { entity: { kind: 'repo', repoId: repo?.repoId as Uuid }, name });
    }
    run();
    await vi.waitFor(() => expect(engines.cron.activities()).toHaveLength(2), soon);
    // Where nothing else looks, only what comes once changes are watched is seen.
    await vi.waitFor(async () => {
      await folder.commit(path);
      expect(repos.last?.commits).toBeGreaterThan(1);
    }, soon);
  });

  it('what came before watching began', async () => {
    await observe(path);
    await folder.commit(path);
    run();
    await commits(2);
  });
});

it('looks again from time to time even if it sees no change', async () => {
  make(200);
  await observe(path);
  run();
  await watching();
  // Not among what is watched, and it brings commits nevertheless.
  await folder.run(path, ['init', '-q', '--bare', join(folder.path, 'other')]);
  await watching(5);
});

it('records a repository once at a time, and several changes together', async () => {
  run();
  await observe(path);
  await watching();
  const before = repos.scans.length;
  const gate = Promise.withResolvers<void>();
  repos.gate = gate.promise;
  for (let i = 0; i < 10; i++) await folder.commit(path);
  await vi.waitFor(() => expect(repos.running).toBe(1), soon);
  gate.resolve();
  await commits(11);
  expect(repos.mostRunning).toBe(1);
  expect(repos.scans.length - before).toBeLessThanOrEqual(4);
});

it('tells of a problem once, shows it, and goes on when it is gone', async () => {
  make(100);
  run();
  await observe(path);
  const away = join(folder.path, 'away');
  await rename(path, away);
  await vi.waitFor(() => expect(lines()).toEqual([`a repository cannot be recorded: ${path}`]), soon);
  const begun = repos.begun;
  await vi.waitFor(() => expect(repos.begun).toBeGreaterThan(begun + 2), soon);
  const { repos: views, problems } = await observer.listObserved(background, {});
  expect(views).toEqual([]);
  expect(problems).toMatchObject([{ path, error: 'repos.notARepository' }]);
  const before = repos.scans.length;
  await folder.commit(away);
  await rename(away, path);
  await commits(2);
  await vi.waitFor(() => expect(lines().slice(1)).toEqual([`a repository can be recorded again: ${path}`]), soon);
  expect(await observer.listObserved(background, {})).toMatchObject({ repos: [{ path }], problems: [] });
  expect(repos.scans.length).toBeGreaterThan(before);
});

describe('the end', () => {
  it('ends the scan that is running, for the next start to go on with, and takes in nothing more', async () => {
    run();
    await observe(path);
    await watching();
    repos.gate = new Promise(() => {});
    await folder.commit(path);
    await vi.waitFor(() => expect(repos.running).toBe(1), soon);
    const before = repos.scans.length;
    const begun = repos.begun;
    const stopping = running?.stop();
    await folder.commit(path);
    await stopping;
    expect(repos.running).toBe(0);
    expect(repos.scans.length).toBe(before);
    expect(repos.begun).toBe(begun);
    expect(lines()).toEqual([]);
    await vi.waitFor(() => expect(process.getActiveResourcesInfo()).not.toContain('FSEventWrap'), soon);
  });

  it('comes at once when there is nothing to do, and leaves no timer', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await observe(path);
    const before = timers();
    run();
    await watching();
    expect(timers()).toBeGreaterThan(before);
    await running?.stop();
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
