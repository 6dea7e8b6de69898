import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Seq } from '@samovar/edacore';
import { arrays } from './sql.ts';
import type { StreamState, Streams } from './streams.ts';
import type { Tail } from './tail.ts';

/** Unfolded events at which folding begins, at least. */
const threshold = 65_536;
/** Events and keys folded in one transaction at most, and the milliseconds after which it takes no more than it has to. */
const stepSize = 3000;
const stepTime = 6;
/** Milliseconds of a generation of idempotency keys: what a key is remembered for, at least, once folded. */
const generationTime = 120_000;
const sweepSize = 1000;

/**
 * Moves the streams' events and keys from the log's tail into the tables, a step in each transaction. Steps are complete
 * in themselves, and harmless when two processes take the same.
 */
export class Folder {
  readonly #streams: Streams;
  readonly #tail: Tail;
  readonly #insertEvent: StatementSync;
  readonly #insertKey: StatementSync;
  readonly #updateStream: StatementSync;
  readonly #findKey: StatementSync;
  readonly #deleteKeys: StatementSync;
  readonly #beginAt: number;
  #queue: StreamState[] | undefined;
  #target: Seq = 0;
  #step: { readonly state: StreamState; readonly count: number }[] = [];
  /** Events that were not folded after the last step. */
  #left = 0;
  #isSwept = false;

  /** By default, processes begin at numbers that differ, so that not all of them do the same. */
  constructor(db: DatabaseSync, streams: Streams, tail: Tail, beginAt = threshold * (1 + Math.random())) {
    this.#beginAt = beginAt;
    this.#streams = streams;
    this.#tail = tail;
    this.#insertEvent = db.prepare('INSERT OR IGNORE INTO stream_events (stream, seq) VALUES (?, ?)');
    this.#insertKey = db.prepare('INSERT OR IGNORE INTO keys (generation, stream, key, seq) VALUES (?, ?, ?, ?)');
    const update = 'UPDATE streams SET head = ?1, clock = ?2, events = ?3 WHERE id = ?4 AND head < ?1';
    this.#updateStream = db.prepare(update);
    const find = 'SELECT max(seq) FROM keys WHERE generation IN (?1, ?1 - 1, ?1 - 2) AND stream = ?2 AND key = ?3';
    this.#findKey = arrays(db.prepare(find));
    const expired = `SELECT generation, stream, key FROM keys WHERE generation < ? - 2 LIMIT ${sweepSize}`;
    this.#deleteKeys = db.prepare(`DELETE FROM keys WHERE (generation, stream, key) IN (${expired})`);
  }

  /** The first event that was published with this key. */
  find(state: StreamState, key: string): Seq | undefined {
    const unfolded = state.keys?.get(key);
    if (unfolded !== undefined || !this.#tail.hasKeys) return unfolded;
    return this.#findFolded(state.id, key);
  }

  /** Whether what was published to the stream with this key is erased. */
  isErased(stream: string, key: string): boolean {
    const ids = this.#tail.erased.idsOf(stream, this.#tail.generation);
    return ids.some((id) => this.#findFolded(id, key) !== undefined);
  }

  /** Folds up to `limit` events of one stream, inside a transaction, before that has a step. */
  foldStream(state: StreamState, limit: number): void {
    const count = Math.min(limit, state.unfolded.length);
    if (count === 0) return;
    this.#fold(state, count);
    // At once, or else the step would take them again; if the transaction fails, all is forgotten.
    this.#streams.folded(state, count);
  }

  /** One step, inside a transaction. Returns whether the log's row has to be stored. */
  step(now: number): boolean {
    const turned = this.#turnGeneration(now);
    this.#step = [];
    if (this.#queue === undefined) {
      if (this.#streams.unfoldedEvents < this.#beginAt) return turned;
      this.#target = this.#tail.tip;
      // Sorted, so that what is next to each other in the tables is written together.
      this.#queue = [...this.#streams.unfolded].sort((a, b) => b.id - a.id);
    }
    this.#foldSome(this.#queue);
    if (this.#queue.length > 0) return turned;
    this.#queue = undefined;
    this.#tail.indexed = Math.max(this.#tail.indexed, this.#target);
    return true;
  }

  /** The transaction is committed. */
  committed(): void {
    for (const { state, count } of this.#step) this.#streams.folded(state, count);
    this.#step = [];
    this.#left = this.#streams.unfoldedEvents;
  }

  /** The transaction has failed, and all is forgotten. */
  reset(): void {
    this.#queue = undefined;
    this.#step = [];
    this.#left = 0;
  }

  #findFolded(stream: number, key: string): Seq | undefined {
    if (!this.#streams.foldedKeys.mayHave(stream, key)) return undefined;
    const [seq] = this.#findKey.get(this.#tail.generation, stream, key) as unknown as [number | null];
    return seq ?? undefined;
  }

  /** As many events as have come since the last step at least, or else those left would become ever more. */
  #foldSome(queue: StreamState[]): void {
    const came = this.#streams.unfoldedEvents - this.#left;
    const ends = performance.now() + stepTime;
    for (let rows = 0; rows < stepSize && queue.length > 0; ) {
      rows += this.#foldNext(queue, stepSize - rows);
      // An event and its key are two.
      if (rows >= 2 * came && performance.now() > ends) return;
    }
  }

  #foldNext(queue: StreamState[], limit: number): number {
    const state = queue[queue.length - 1] as StreamState;
    const all = state.unfolded.findLastIndex((seq) => seq <= this.#target) + 1;
    const count = Math.min(all, limit);
    if (count === all) queue.pop();
    if (count === 0) return 1;
    const rows = this.#fold(state, count);
    this.#step.push({ state, count });
    return rows;
  }

  /** Writes the stream's first `count` unfolded events into the tables. Returns how many rows that took. */
  #fold(state: StreamState, count: number): number {
    for (let i = 0; i < count; i++) this.#insertEvent.run(state.id, state.unfolded[i] as Seq);
    const head = state.unfolded[count - 1] as Seq;
    const keys = this.#foldKeys(state, head);
    this.#updateStream.run(head, state.head?.clock ?? 0, state.foldedEvents + count, state.id);
    return count + keys;
  }

  #foldKeys(state: StreamState, head: Seq): number {
    let count = 0;
    for (const [key, seq] of state.keys ?? []) {
      if (seq > head) break;
      this.#insertKey.run(this.#tail.generation, state.id, key, seq);
      this.#tail.hasKeys = true;
      count++;
    }
    return count;
  }

  /**
   * Generations instead of times on each key: however the clock jumps, a generation is only ever one older after it,
   * and the keys of two full generations are kept.
   */
  #turnGeneration(now: number): boolean {
    if (!this.#tail.hasKeys) return false;
    if (!this.#isSwept) this.#isSwept = this.#deleteKeys.run(this.#tail.generation).changes === 0;
    if (now - this.#tail.generationSince < generationTime) return false;
    this.#tail.generation++;
    this.#streams.foldedKeys.turn();
    this.#tail.generationSince = now;
    this.#isSwept = false;
    return true;
  }
}
