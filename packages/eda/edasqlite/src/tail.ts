import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { maxCommit, type Seq } from '@samovar/edacore';
import { Erased } from './erased.ts';
import { arrays, upTo } from './sql.ts';
import type { Streams } from './streams.ts';

/** Events looked at in one go. */
const pageSize = 10_000;

type LogRow = [
  position: number,
  events: number,
  largest: number,
  indexed: Seq,
  generation: number,
  generationSince: number,
  hasKeys: number,
  erasures: number,
];

/** What the log's one row says, and the streams of the events that are not folded: kept true by whoever commits. */
export class Tail {
  /** The last commit's. */
  position = 0;
  events = 0;
  /** Bytes or characters of the largest payload. */
  largest = 0;
  indexed: Seq = 0;
  /** Of the idempotency keys that are folded now; two before it are still looked at. */
  generation = 0;
  /** When the generation began, in milliseconds. */
  generationSince = 0;
  /** Whether there are folded keys. */
  hasKeys = false;
  /** The last event, or the end of its commit where that is erased. */
  tip: Seq = 0;
  /** What is behind here is not erased, as far as this process knows. */
  erasedUpTo: Seq = 0;
  readonly erased: Erased;
  readonly #streams: Streams;
  readonly #version: StatementSync;
  readonly #log: StatementSync;
  readonly #newer: StatementSync;
  /** As `PRAGMA data_version` says it, which changes when another connection commits. */
  #seen = -1;

  constructor(db: DatabaseSync, streams: Streams) {
    this.#streams = streams;
    this.erased = new Erased(db);
    this.#version = arrays(db.prepare('PRAGMA data_version'));
    const columns = 'position, events, largest, indexed, generation, generation_since';
    const more = `EXISTS (SELECT 1 FROM keys), ${Erased.count}`;
    this.#log = arrays(db.prepare(`SELECT ${columns}, ${more} FROM log`));
    const newer = `SELECT seq, stream, acked, key FROM events WHERE seq > ? AND seq < ? ORDER BY seq ${upTo}`;
    this.#newer = arrays(db.prepare(newer));
  }

  /** Takes in what other processes have committed since the last look. Returns the streams that have new events. */
  refresh(): ReadonlySet<string> {
    const [version] = this.#version.get() as unknown as [number];
    if (version === this.#seen) return none;
    const row = this.#log.get() as unknown as LogRow;
    const isAnew = this.#seen === -1 || !this.#learn(row[7]);
    if (isAnew) this.#begin(row);
    else this.#turn(row[4]);
    const changed = row[0] === this.position ? none : this.#scan((row[0] + 1) * maxCommit);
    if (this.tip < row[0] * maxCommit) this.tip = (row[0] + 1) * maxCommit - 1;
    if (!isAnew && row[3] > this.indexed) this.#streams.foldedElsewhere(row[3]);
    this.#take(row);
    this.#seen = version;
    return changed;
  }

  /** After a transaction that failed: begins anew with what is stored. */
  reload(): void {
    this.#seen = -1;
    this.refresh();
  }

  /** Again from the start, should the first look at the log fail halfway. */
  #begin(row: LogRow): void {
    this.#streams.clear();
    this.erased.load(row[7], row[4]);
    this.erasedUpTo = this.tip;
    this.position = 0;
    this.tip = row[3];
    if (row[6] === 0) this.#streams.foldedKeys.beginEmpty();
  }

  /** Takes in what other processes have erased. Returns false if that cannot be told any more. */
  #learn(erasures: number): boolean {
    if (erasures === this.erased.count) return true;
    const ids = this.erased.learn(erasures, this.generation);
    for (const id of ids ?? []) this.#streams.erased(id);
    this.erasedUpTo = this.tip;
    return ids !== undefined;
  }

  #turn(generation: number): void {
    if (generation === this.generation) return;
    this.generation = generation;
    this.#streams.foldedKeys.turn();
  }

  #take(row: LogRow): void {
    [this.position, this.events, this.largest, this.indexed, this.generation, this.generationSince] = row;
    this.hasKeys = row[6] === 1;
  }

  #scan(end: Seq): ReadonlySet<string> {
    const changed = new Set<string>();
    for (;;) {
      const rows = this.#newer.all(this.tip, end, pageSize) as unknown as [number, number, number, string | null][];
      for (const [seq, id, clock, key] of rows) {
        const state = this.#streams.byId(id);
        this.tip = seq;
        if (state === undefined) continue;
        this.#streams.add(state, seq, clock, key);
        changed.add(state.name);
      }
      if (rows.length < pageSize) return changed;
    }
  }
}

const none: ReadonlySet<string> = new Set();
