import type { EventId } from '@samovar/eda';
import type { Commit, Head, Repo, RepoInitialized } from '@samovar/repos';
import type { RepoEvent } from './store.ts';

/** What a repository's events say, without the commits themselves. */
export class History {
  #repo: RepoInitialized | undefined;
  #head: Head | null = null;
  #last: EventId | null = null;
  #commits = 0;
  readonly #frontier = new Set<string>();
  readonly #roots = new Set<string>();

  /** Takes in the next event. Events that it has already, as a second reader brings them, change nothing. */
  apply(event: RepoEvent): void {
    if (this.#last !== null && event.id <= this.#last) return;
    this.#last = event.id;
    if (event.kind === 'initialized') this.#repo = event.data;
    if (event.kind === 'moved') this.#head = event.data.to;
    if (event.kind === 'recorded') for (const commit of event.data.commits) this.#add(commit);
  }

  /** The last event taken in. */
  get last(): EventId | null {
    return this.#last;
  }

  get head(): Head | null {
    return this.#head;
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
    return this.#repo && { ...this.#repo, head: this.#head, commits: this.#commits };
  }

  #add({ hash, parents }: Commit): void {
    this.#commits++;
    for (const parent of parents) this.#frontier.delete(parent);
    this.#frontier.add(hash);
    if (parents.length === 0) this.#roots.add(hash);
  }
}
