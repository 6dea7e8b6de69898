import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background, withCancel, withValue } from '@samovar/context';
import { GetRepoQuery, type Head, InitRepoCommand, NotARepositoryError, ScanRepoCommand, Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { type Logger, workContext } from '@samovar/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObserverService } from './service.ts';
import { ObserverWatch } from './watch.ts';

const soon = { timeout: 2000, interval: 20 };

/** A logger that keeps what it is told. */
class Lines implements Logger {
  readonly lines: string[] = [];
  #add = (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void this.lines.push(`${message}: ${String(fields.path)}`);
  readonly debug = () => {};
  readonly info = this.#add;
  readonly warn = this.#add;
  readonly error = this.#add;
  child(): Logger {
    return this;
  }
}

/** Stands in for Repos: a scan asks git what there is. */
class ScannedRepos {
  readonly scans: { readonly commits: number; readonly head: string }[] = [];
  /** Scans that were begun. */
  begun = 0;
  running = 0;
  mostRunning = 0;
  /** Scans wait for it. */
  gate: Promise<void> = Promise.resolve();
  readonly #paths = new Map<Uuid, string>();

  constructor(bus: FakeBus, folder: GitFolder) {
    const head: Head | null = null;
    bus.addHandler(InitRepoCommand, (_, command) => {
      const repoId = Uuid.parse(crypto.randomUUID());
      this.#paths.set(repoId, command.path);
      return { repoId, ...InitRepoCommand.parse(command), head, commits: 0 };
    });
    bus.addHandler(GetRepoQuery, (_, { repoId }) => {
      const path = this.#paths.get(repoId) ?? '';
      return { repoId, registry: 'main', name: 'r', path, head, commits: this.scans.at(-1)?.commits ?? 0 };
    });
    bus.addHandler(ScanRepoCommand, async (_, { repoId }) => {
      const path = this.#paths.get(repoId) ?? '';
      this.begun++;
      this.mostRunning = Math.max(this.mostRunning, ++this.running);
      try {
        await this.gate;
        const commits = await folder.run(path, ['rev-list', '--all', '--count']);
        const at = await folder.run(path, ['rev-parse', '--symbolic-full-name', 'HEAD']);
        this.scans.push({ commits: Number(commits), head: at });
        return { recorded: 0 };
      } catch {
        throw new NotARepositoryError(path, 'git says so');
      } finally {
        this.running--;
      }
    });
  }

  get last() {
    return this.scans.at(-1);
  }
}

let folder: GitFolder;
let path: string;
let repos: ScannedRepos;
let observer: ObserverService;
let watch: ObserverWatch;
let logger: Lines;
let running: { stop(): Promise<void> } | undefined;

function make(rescanEvery?: number): void {
  const bus = new FakeBus();
  repos = new ScannedRepos(bus, folder);
  logger = new Lines();
  watch = new ObserverWatch(logger, rescanEvery === undefined ? {} : { rescanEvery });
  observer = new ObserverService(bus, watch);
}

function run(): void {
  const scope = withCancel(background);
  const work = withCancel(background);
  const settled = watch.run(withValue(scope.ctx, workContext, work.ctx));
  running = {
    stop: async () => {
      scope.cancel();
      await settled;
      work.cancel();
      running = undefined;
    },
  };
}

const observe = (...folders: string[]) => observer.observeFolders(background, { folders, registry: 'main' });
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
  await vi.waitFor(() => expect(logger.lines).toEqual([`a repository cannot be recorded: ${path}`]), soon);
  const begun = repos.begun;
  await vi.waitFor(() => expect(repos.begun).toBeGreaterThan(begun + 2), soon);
  const { repos: views, problems } = await observer.listObserved(background, {});
  expect(views).toEqual([]);
  expect(problems).toMatchObject([{ path, error: 'repos.notARepository' }]);
  const before = repos.scans.length;
  await folder.commit(away);
  await rename(away, path);
  await commits(2);
  await vi.waitFor(() => expect(logger.lines.slice(1)).toEqual([`a repository can be recorded again: ${path}`]), soon);
  expect(await observer.listObserved(background, {})).toMatchObject({ repos: [{ path }], problems: [] });
  expect(repos.scans.length).toBeGreaterThan(before);
});

describe('the end', () => {
  it('lets the scan that is running finish, and takes in nothing more', async () => {
    run();
    await observe(path);
    await watching();
    const gate = Promise.withResolvers<void>();
    repos.gate = gate.promise;
    await folder.commit(path);
    await vi.waitFor(() => expect(repos.running).toBe(1), soon);
    const before = repos.scans.length;
    const begun = repos.begun;
    let stopped = false;
    const stopping = running?.stop().then(() => {
      stopped = true;
    });
    await folder.commit(path);
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    gate.resolve();
    await stopping;
    expect(repos.scans.length).toBe(before + 1);
    expect(repos.begun).toBe(begun);
    await vi.waitFor(() => expect(process.getActiveResourcesInfo()).not.toContain('FSEventWrap'), soon);
  });

  it('comes at once when there is nothing to do, and leaves no timer', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await observe(path);
    const before = timers();
    run();
    expect(timers()).toBeGreaterThan(before);
    await running?.stop();
    expect(timers()).toBe(before);
    expect(repos.begun).toBe(1);
  });
});
