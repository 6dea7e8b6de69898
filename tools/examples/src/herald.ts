import { canceled, endOfStream, type Outcome, type RepoActivity, retry, type Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import { dataOf, type EventStream } from '@samovar/eda';
import { CommitsRecorded, type Uuid } from '@samovar/repos';

/** Tells of each commit of a repository as it is recorded. */
export class Herald implements RepoActivity {
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  async processRepoEvents(ctx: Context, _repoId: Uuid, tail: Tail, events: EventStream): Promise<Outcome> {
    let last = tail;
    try {
      for await (const event of events) {
        const commits = event.is(CommitsRecorded.name) ? dataOf(CommitsRecorded, event).commits : [];
        for (const { hash, author, subject } of commits) this.#print(`${hash.slice(0, 7)} ${author.name}: ${subject}`);
        last = event.id;
      }
      return endOfStream(last);
    } catch (error) {
      return ctx.signal.aborted ? canceled(last) : retry(last, error as Error);
    }
  }
}
