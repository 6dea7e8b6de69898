import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { arrays } from './sql.ts';

/**
 * The row of `streams` whose head counts the erasures, and what the names of erased streams begin with; no stream can be
 * called so. The number of its erasure follows, in digits enough for names to be in the order of erasures, and then the
 * name that the stream had.
 */
const mark = '!';
const digits = 16;
/** Comes after all names that begin with the mark. */
const end = '"';
/** Generations of keys that are looked at; a stream erased before them has none that count. */
const kept = 3;

type Row = [id: number, name: string];

/** The streams that were erased lately, kept for their idempotency keys, and until their events are gone. */
export class Erased {
  /** A condition that the rows of erased streams meet. */
  static readonly names = `name > '${mark}' AND name < '${end}'`;
  /** An expression for how many erasures there were. */
  static readonly count = `coalesce((SELECT head FROM streams WHERE name = '${mark}'), 0)`;

  /** How many erasures this process knows of. */
  count = 0;
  /** Numbers by the name that the stream had, for each generation in which this process learned of them. */
  readonly #ids = new Map<number, Map<string, number[]>>();
  readonly #increment: StatementSync;
  readonly #rename: StatementSync;
  readonly #since: StatementSync;

  constructor(db: DatabaseSync) {
    const row = `INSERT INTO streams (name, head, clock, events) VALUES ('${mark}', 1, 0, 0)`;
    this.#increment = arrays(db.prepare(`${row} ON CONFLICT (name) DO UPDATE SET head = head + 1 RETURNING head`));
    this.#rename = db.prepare('UPDATE streams SET name = ? WHERE id = ?');
    this.#since = arrays(db.prepare('SELECT id, name FROM streams WHERE name > ? AND name < ? ORDER BY name'));
  }

  /** The numbers that streams of this name had when they were erased. */
  idsOf(name: string, generation: number): readonly number[] {
    if (this.#ids.size === 0) return [];
    return [...this.#ids].flatMap(([since, ids]) => (since > generation - kept ? (ids.get(name) ?? []) : []));
  }

  /** Calls the stream erased, inside a transaction. */
  add(id: number, name: string, generation: number): void {
    const [number] = this.#increment.get() as unknown as [number];
    this.#rename.run(markedName(number) + name, id);
    this.count = number;
    this.#note(id, name, generation);
  }

  /** What was erased elsewhere up to the `count`th time; undefined: not all of that is known any more. */
  learn(count: number, generation: number): number[] | undefined {
    const rows = this.#rows(markedName(this.count + 1));
    const until = markedName(count + 1);
    if (rows.filter(([, name]) => name < until).length < count - this.count) return undefined;
    this.#take(rows, count, generation);
    return rows.map(([id]) => id);
  }

  /** All that is stored after `count` erasures. */
  load(count: number, generation: number): void {
    this.#ids.clear();
    this.#take(this.#rows(mark), count, generation);
  }

  #rows(from: string): Row[] {
    return this.#since.all(from, end) as unknown as Row[];
  }

  #take(rows: readonly Row[], count: number, generation: number): void {
    for (const [id, name] of rows) this.#note(id, name.slice(markedName(0).length), generation);
    this.count = Math.max(count, numberOf(rows.at(-1)?.[1]));
  }

  #note(id: number, name: string, generation: number): void {
    for (const since of this.#ids.keys()) if (since <= generation - kept) this.#ids.delete(since);
    const ids = this.#ids.get(generation) ?? new Map<string, number[]>();
    this.#ids.set(generation, ids);
    ids.set(name, [...(ids.get(name) ?? []), id]);
  }
}

function markedName(number: number): string {
  return `${mark}${String(number).padStart(digits, '0')} `;
}

function numberOf(name: string | undefined): number {
  return name === undefined ? 0 : Number(name.slice(mark.length, mark.length + digits));
}
