import { isDeepStrictEqual } from 'node:util';
import type { ActivityKey, Peers } from '@samovar/activity';

/** Tells those who listen of the workers there are, when they have changed. */
export class PeersNews {
  readonly #listeners = new Set<(peers: Peers) => void>();
  #last: Peers | undefined;

  /** What was told last. */
  get last(): Peers | undefined {
    return this.#last;
  }

  listen(listener: (peers: Peers) => void): Disposable {
    // One that listens twice is told twice.
    const own = (peers: Peers) => listener(peers);
    this.#listeners.add(own);
    if (this.#last !== undefined) own(this.#last);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  /** The workers as they are now: in any order. */
  tell({ self, all }: Peers): void {
    const peers = { self, all: all.toSorted((a, b) => (a.worker < b.worker ? -1 : 1)) };
    if (isDeepStrictEqual(peers, this.#last)) return;
    this.#last = peers;
    for (const listener of this.#listeners) listener(peers);
  }
}

/** What a worker runs that has claimed this, as {@link Peer.runs} has it. */
export function runOf({ entity, name }: ActivityKey): string {
  return `${entity.kind}/${name}`;
}

const mostRuns = 200;

/** `runs` and one more; the same if it is there, or they are too many for others to be told of it. */
export function withRun(runs: ReadonlySet<string>, run: string): ReadonlySet<string> {
  return runs.has(run) || runs.size >= mostRuns ? runs : new Set([...runs, run]);
}
