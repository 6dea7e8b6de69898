import type { EventId } from '@samovar/eda';
import {
  type Bundle,
  type Commit,
  type Head,
  type Repo,
  RepoArchivedError,
  type RepoInitialized,
  type Uuid,
} from '@samovar/repos';
import type { RepoEvent } from './store.ts';

/** What a repository's events say, without the commits themselves. */
export class History {
  #repo: RepoInitialized | undefined;
  #head: Head | null = null;
  #archive: Bundle | null = null;
  #last: EventId | null = null;
  #commits = 0;
  readonly #frontier = new Set<string>();
  readonly #roots = new Set<string>();
  readonly #pings = new Set<Uuid>();

  /** Takes in the next event. Events that it has already, as a second reader brings them, change nothing. */
  apply(event: RepoEvent): void {
    if (this.#last !== null && event.id <= this.#last) return;
    this.#last = event.id;
    if (event.kind === 'initialized') this.#repo = event.data;
    if (event.kind === 'moved') this.#head = event.data.to;
    if (event.kind === 'pinged') this.#pings.add(event.data.workflowId);
    if (event.kind === 'archived') this.#archive = event.data.archive;
    if (event.kind === 'recorded') for (const commit of event.data.commits) this.#add(commit);
  }

  /** The last event taken in. */
  get last(): EventId | null {
    return this.#last;
  }

  get head(): Head | null {
    return this.#head;
  }

  /** @throws {RepoArchivedError} */
  checkNotArchived(): void {
    if (this.#repo && this.#archive) throw new RepoArchivedError(this.#repo.repoId, this.#archive.path);
  }

  /** The workflows in whose names the repository was pinged. */
  get pings(): ReadonlySet<Uuid> {
    return this.#pings;
  }

  /**
   * The recorded commits that no recorded commit has as a parent. With a commit its ancestors are recorded, so what
   * these reach is what is recorded, unless {@link roots} have got parents since.
   */
  get frontier(): ReadonlySet<string> {
    return this.#frontier;
  }

  /** The recorded commits without parents: first commits, and those at which a shallow clone was cut off. */
  get roots(): ReadonlySet<string> {
    return this.#roots;
  }

  /** undefined: never registered. */
  get repo(): Repo | undefined {
    return this.#repo && { ...this.#repo, head: this.#head, commits: this.#commits, archive: this.#archive };
  }

  #add({ hash, parents }: Commit): void {
    this.#commits++;
    for (const parent of parents) this.#frontier.delete(parent);
    this.#frontier.add(hash);
    if (parents.length === 0) this.#roots.add(hash);
  }
}
