import { basename, dirname, isAbsolute, relative } from 'node:path';
import { type Context, throwIfDone } from '@samovar/context';
import type { DomainError } from '@samovar/errors';
import {
  ListObservedQuery,
  NoRepositoryError,
  NotAFolderError,
  type Observed,
  ObserveFoldersCommand,
  type Observer,
  type Problem,
} from '@samovar/observer';
import { GitMissingError, type Repo, Uuid } from '@samovar/repos';

interface Entry {
  readonly repo: Repo;
  fault: DomainError | undefined;
}

/** Watches folders in memory: a test says by their paths which folders and repositories there are, and which fail. */
export class FakeObserver implements Observer {
  readonly #folders = new Set<string>();
  readonly #commits = new Map<string, number>();
  readonly #faults = new Map<string, DomainError>();
  readonly #observed = new Map<string, Entry>();

  /** From now on there are a folder at `path` and those it is in. */
  addFolder(path: string): void {
    this.#folders.add(path);
    if (dirname(path) !== path) this.addFolder(dirname(path));
  }

  /** From now on there is a repository with so many commits at `path`. Whoever observes it sees them at once. */
  addRepository(path: string, commits = 0): void {
    this.addFolder(path);
    this.#commits.set(path, commits);
  }

  /** Observing the repository at `path` fails with `fault` from now on; undefined: no longer. */
  failWith(path: string, fault: DomainError | undefined): void {
    if (fault === undefined) this.#faults.delete(path);
    else this.#faults.set(path, fault);
  }

  async observeFolders(ctx: Context, command: ObserveFoldersCommand): Promise<Observed> {
    const { folders, registry } = ObserveFoldersCommand.parse(command);
    throwIfDone(ctx);
    const found = folders.flatMap((folder) => this.#find(folder));
    const missing = found.map(({ path }) => this.#faults.get(path)).find((fault) => fault instanceof GitMissingError);
    if (missing !== undefined) throw missing;
    const entries = found.map(({ path, name }) => this.#observe(path, name, registry));
    return this.#state([...new Set(entries)]);
  }

  async listObserved(ctx: Context, query: ListObservedQuery): Promise<Observed> {
    ListObservedQuery.parse(query);
    throwIfDone(ctx);
    return this.#state([...this.#observed.values()]);
  }

  #find(folder: string): { path: string; name: string }[] {
    if (!isAbsolute(folder) || !this.#folders.has(folder)) throw new NotAFolderError(folder);
    const paths = [...this.#commits.keys()].sort();
    const below = paths.filter((path) => path === folder || path.startsWith(`${folder}/`));
    const around = paths.filter((path) => folder.startsWith(`${path}/`)).slice(-1);
    const chosen = below.length > 0 ? below : around;
    if (chosen.length === 0) throw new NoRepositoryError(folder);
    const isBelow = below.length > 0;
    return chosen.map((path) => ({ path, name: (isBelow && relative(folder, path)) || basename(path) }));
  }

  #observe(path: string, name: string, registry: string): Entry {
    const key = `${registry} ${path}`;
    const made = (): Repo => ({
      repoId: Uuid.parse(crypto.randomUUID()),
      registry,
      name,
      path,
      head: null,
      commits: 0,
      archive: null,
    });
    const entry = this.#observed.get(key) ?? { repo: made(), fault: undefined };
    entry.fault = this.#faults.get(path);
    this.#observed.set(key, entry);
    return entry;
  }

  #state(entries: readonly Entry[]): Observed {
    const repos: Repo[] = [];
    const problems: Problem[] = [];
    for (const { repo, fault } of entries) {
      if (fault === undefined) repos.push({ ...repo, commits: this.#commits.get(repo.path) ?? 0 });
      else problems.push({ path: repo.path, error: fault.id, message: fault.publicMessage });
    }
    return { repos, problems };
  }
}
