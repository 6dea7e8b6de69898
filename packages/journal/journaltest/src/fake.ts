import type { Folding, Journal, Journals } from '@samovar/journal';
import { FakeJournal, type Streams } from './journal.ts';

/** Journals in memory. Those of one {@link FakeJournals} read the same streams. */
export class FakeJournals implements Journals {
  readonly #streams: Streams = new Map();

  of<S>(folding: Folding<S>): Journal<S> {
    return new FakeJournal(this.#streams, folding);
  }
}
