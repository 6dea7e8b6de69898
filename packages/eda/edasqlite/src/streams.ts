import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Head, Seq } from '@samovar/edacore';
import { KeyFilter } from './keyfilter.ts';
import { arrays, upTo } from './sql.ts';

/** Comes after the names of erased streams, and before all others. */
const beforeNames = ',';
/** Streams kept in memory beyond those that have to be, and names of streams besides. */
const kept = 100_000;
/** Most streams have no unfolded events: they share this. */
const noSeqs: readonly Seq[] = Object.freeze([]);

/** What is known of a stream: what is folded into the tables, and the events that are not yet. */
export class StreamState {
  readonly id: number;
  readonly name: string;
  /** Whether it is erased, and its events are about to go. */
  readonly isErased: boolean;
  /** The last folded event; 0 if there is none. */
  foldedHead: Seq;
  foldedEvents: number;
  /** The events behind it, in log order. */
  unfolded: readonly Seq[] = noSeqs;
  /** What was published with a key since, by the key, in log order. */
  keys: Map<string, Seq> | undefined;
  #clock: number;

  constructor(id: number, name: string, foldedHead: Seq, clock: number, foldedEvents: number) {
    this.id = id;
    this.name = name;
    this.isErased = name.startsWith('!');
    this.foldedHead = foldedHead;
    this.#clock = clock;
    this.foldedEvents = foldedEvents;
  }

  get head(): Head | undefined {
    const seq = this.unfolded.at(-1) ?? this.foldedHead;
    return seq === 0 ? undefined : { seq, clock: this.#clock };
  }

  get events(): number {
    return this.foldedEvents + this.unfolded.length;
  }

  add(seq: Seq, clock: number, key: string | null | undefined): void {
    if (this.unfolded === noSeqs) this.unfolded = [seq];
    else (this.unfolded as Seq[]).push(seq);
    this.#clock = clock;
    if (key === null || key === undefined) return;
    this.keys ??= new Map();
    this.keys.set(key, seq);
  }

  /** The first `count` unfolded events are in the tables now, and their keys, which go to `keys`. */
  folded(count: number, keys: KeyFilter): void {
    if (count === 0) return;
    this.foldedHead = this.unfolded[count - 1] as Seq;
    this.foldedEvents += count;
    this.unfolded = count === this.unfolded.length ? noSeqs : this.unfolded.slice(count);
    for (const [key, seq] of this.keys ?? []) {
      if (seq > this.foldedHead) break;
      keys.add(this.id, key);
      this.keys?.delete(key);
    }
  }
}

type StreamRow = [id: number, name: string, head: number, clock: number, events: number];

/** The streams by name and by number. Those with unfolded events are all in memory; others come and go. */
export class Streams {
  /** The keys in the table, which no stream has any more. */
  readonly foldedKeys = new KeyFilter();
  readonly #byName = new Map<string, StreamState>();
  readonly #byId = new Map<number, StreamState>();
  readonly #unfolded = new Set<StreamState>();
  readonly #findByName: StatementSync;
  readonly #findById: StatementSync;
  readonly #findNames: StatementSync;
  readonly #insert: StatementSync;
  readonly #range: StatementSync;
  /** Those of streams that are not erased, by number. */
  readonly #names = new Map<number, string>();
  #unfoldedEvents = 0;

  constructor(db: DatabaseSync) {
    const columns = 'SELECT id, name, head, clock, events FROM streams WHERE';
    this.#findByName = arrays(db.prepare(`${columns} name = ?`));
    this.#findById = arrays(db.prepare(`${columns} id = ?`));
    const named = `SELECT id, name FROM streams WHERE id IN (SELECT value FROM json_each(?)) AND name > '${beforeNames}'`;
    this.#findNames = arrays(db.prepare(named));
    this.#insert = db.prepare('INSERT INTO streams (name, head, clock, events) VALUES (?, 0, 0, 0)');
    this.#range = arrays(db.prepare(`${columns} name > ? AND name >= ? AND name < ? ORDER BY name ${upTo}`));
  }

  /** How many events are not folded. */
  get unfoldedEvents(): number {
    return this.#unfoldedEvents;
  }

  /** The streams that have such events. */
  get unfolded(): ReadonlySet<StreamState> {
    return this.#unfolded;
  }

  byName(name: string): StreamState | undefined {
    return this.#byName.get(name) ?? this.#keep(this.#findByName.get(name));
  }

  /** undefined: it was erased a moment ago, and its events went while they were looked at. */
  byId(id: number): StreamState | undefined {
    return this.#byId.get(id) ?? this.#keep(this.#findById.get(id));
  }

  /** The names of these streams, in this order; undefined if one is erased. Less is kept of them than by `byId`. */
  names(ids: readonly number[]): (string | undefined)[] {
    if (this.#names.size >= kept) this.#names.clear();
    const unknown = new Set<number>();
    for (const id of ids) if (!this.#names.has(id)) unknown.add(id);
    const found = unknown.size === 0 ? [] : this.#findNames.all(JSON.stringify([...unknown]));
    for (const [id, name] of found as unknown as [id: number, name: string][]) this.#names.set(id, name);
    return ids.map((id) => this.#names.get(id));
  }

  /** Streams of these names, by name, without those that are erased; not kept. */
  range(after: string, prefix: string, limit: number): StreamState[] {
    const rows = this.#range.all(
      after > beforeNames ? after : beforeNames,
      prefix,
      `${prefix}\x7f`,
      limit,
    ) as unknown as StreamRow[];
    return rows.map((row) => this.#byId.get(row[0]) ?? new StreamState(...row));
  }

  /** Inside a transaction. */
  create(name: string): StreamState {
    const { lastInsertRowid } = this.#insert.run(name);
    return this.#keep([Number(lastInsertRowid), name, 0, 0, 0]) as StreamState;
  }

  /** An event of the log's tail. */
  add(state: StreamState, seq: Seq, clock: number, key: string | null | undefined): void {
    if (seq <= state.foldedHead) {
      if (key !== null && key !== undefined) this.foldedKeys.add(state.id, key);
      return;
    }
    state.add(seq, clock, key);
    this.#unfoldedEvents++;
    if (state.unfolded.length > 1) return;
    this.#unfolded.add(state);
    this.#byName.set(state.name, state);
    this.#byId.set(state.id, state);
  }

  /** The stream's first `count` unfolded events are in the tables. */
  folded(state: StreamState, count: number): void {
    state.folded(count, this.foldedKeys);
    this.#unfoldedEvents -= count;
    if (state.unfolded.length === 0) this.#unfolded.delete(state);
  }

  /** Another process has folded everything up to `indexed`. */
  foldedElsewhere(indexed: Seq): void {
    for (const state of this.#unfolded) {
      const count = state.unfolded.findLastIndex((seq) => seq <= indexed) + 1;
      if (count > 0) this.folded(state, count);
    }
  }

  /** The stream of this number is erased; its events and keys are all in the tables, under another name. */
  erased(id: number): void {
    this.#names.delete(id);
    const state = this.#byId.get(id);
    if (state === undefined) return;
    this.folded(state, state.unfolded.length);
    this.#byId.delete(id);
    if (this.#byName.get(state.name) === state) this.#byName.delete(state.name);
  }

  /** Forgets everything, unfolded events too. */
  clear(): void {
    this.#names.clear();
    this.#byName.clear();
    this.#byId.clear();
    this.#unfolded.clear();
    this.#unfoldedEvents = 0;
    this.foldedKeys.miss();
  }

  #keep(row: unknown): StreamState | undefined {
    if (row === undefined) return undefined;
    if (this.#byId.size >= kept + this.#unfolded.size) this.#shed();
    const state = new StreamState(...(row as StreamRow));
    this.#byName.set(state.name, state);
    this.#byId.set(state.id, state);
    return state;
  }

  #shed(): void {
    this.#byName.clear();
    this.#byId.clear();
    for (const state of this.#unfolded) {
      this.#byName.set(state.name, state);
      this.#byId.set(state.id, state);
    }
  }
}
