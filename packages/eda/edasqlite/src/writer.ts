import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { throwIfDone } from '@samovar/context';
import { ClosedError, DuplicateErasedError } from '@samovar/eda';
import { type Append, asLast, firstSeq, maxCommit, type NewRow, type Seq } from '@samovar/edacore';
import { asLogError, isBusy, isSqlite } from './errors.ts';
import type { Folder } from './folder.ts';
import { Journal } from './journal.ts';
import { arrays } from './sql.ts';
import type { StreamState, Streams } from './streams.ts';
import type { Tail } from './tail.ts';

/** Milliseconds, and bytes at least a third of which are payload, that one transaction is filled for. */
const groupTime = 4;
const groupBytes = 2 * 1024 * 1024;
/** Events and keys of one transaction: fewer than are folded in one, or else those left would become ever more. */
const groupRows = 2048;
/** Milliseconds that another process may keep the log locked. */
const patience = 30_000;

/** Something else to do in a transaction. It must do nothing if it throws. */
export interface Task {
  /** Whether a loss of power may undo it. Default: false. */
  readonly isLazy?: boolean;
  run(): void;
  succeed(): void;
  fail(error: unknown): void;
}

/** Where an append was stored, now or when its key was first used. */
interface Stored {
  readonly seq: Seq;
  readonly count: number;
  readonly clock: number;
}

class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** What a writer works on. */
export interface Parts {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly number: number;
  readonly streams: Streams;
  readonly tail: Tail;
  readonly folder: Folder;
  /** Told of the streams that have new events. */
  readonly notify: (streams: ReadonlySet<string>) => void;
}

/** Group commit: whatever is waiting when its turn comes shares one transaction, and so one wait for the disk. */
export class Writer {
  readonly #parts: Parts;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #insert: StatementSync;
  readonly #endOf: StatementSync;
  readonly #updateLog: StatementSync;
  readonly #journal: Journal;
  #queue: (Append | Task)[] = [];
  #isScheduled = false;
  #busySince: number | undefined;
  #isCopyDue = false;
  /** Whether a commit waits for the disk. */
  #isSynced = true;
  #isClosed = false;

  constructor(parts: Parts) {
    const { db } = parts;
    this.#parts = parts;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const endOf = 'SELECT seq, acked FROM events WHERE seq >= ? AND seq < ? ORDER BY seq DESC LIMIT 1';
    this.#endOf = arrays(db.prepare(endOf));
    this.#updateLog = db.prepare(
      'UPDATE log SET position = ?, events = ?, largest = ?, indexed = ?, generation = ?, generation_since = ?',
    );
    this.#journal = new Journal(db);
  }

  add(item: Append | Task): void {
    if (this.#isClosed) item.fail(new ClosedError('the event log'));
    else {
      this.#queue.push(item);
      this.#schedule();
    }
  }

  drained(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.add({ run: () => {}, succeed: resolve, fail: () => resolve() }));
  }

  async close(): Promise<void> {
    while (this.#queue.length > 0) await this.drained();
    this.#isClosed = true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not a microtask: publications of one burst join, and a loop of publications leaves a turn to everybody else.
    setImmediate(() => this.#flush());
  }

  /** One turn of the event loop. */
  #flush(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    // Not in one turn with a transaction, which others would have to wait for the longer.
    if (this.#isCopyDue) this.#journal.copy();
    else this.#writeQueued();
    this.#isCopyDue = !this.#isCopyDue && this.#journal.isLong();
    if (this.#queue.length > 0 || this.#isCopyDue) this.#schedule();
  }

  #writeQueued(): void {
    try {
      this.#setSync(!this.#queue.every((item) => 'run' in item && item.isLazy));
      this.#begin.run();
    } catch (error) {
      if (isBusy(error)) this.#tryLater(error);
      else this.#fail(this.#queue.splice(0), error);
      return;
    }
    this.#busySince = undefined;
    const group: (Append | Task)[] = [];
    try {
      this.#writeGroup(group);
    } catch (error) {
      this.#abort();
      if (isBusy(error)) this.#queue = [...group, ...this.#queue];
      else this.#fail(group.length > 0 ? group : this.#queue.splice(0), error);
    }
  }

  /** In the journal, what is not synced yet is followed by nothing that is: losing it leaves the log as it was before. */
  #setSync(isSynced: boolean): void {
    if (isSynced === this.#isSynced) return;
    this.#parts.db.exec(`PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`);
    this.#isSynced = isSynced;
  }

  #writeGroup(group: (Append | Task)[]): void {
    const { tail, folder, notify } = this.#parts;
    const changed = new Set(tail.refresh());
    const { position } = tail;
    const clock = Date.now();
    const outcomes = this.#runAll(group, clock);
    if (folder.step(clock) || tail.position !== position) this.#storeLog();
    this.#commit.run();
    folder.committed();
    for (const [i, item] of group.entries()) {
      const outcome = outcomes[i];
      if (outcome instanceof Failure) item.fail(outcome.error);
      else if ('run' in item) item.succeed();
      else if (outcome !== undefined) {
        item.stored(this.#parts.number, outcome.seq, outcome.count, outcome.clock);
        changed.add(item.stream);
      }
    }
    notify(changed);
  }

  /** Moves items from the queue to the group and runs them, for as long as a transaction may take. */
  #runAll(group: (Append | Task)[], clock: number): (Stored | Failure | undefined)[] {
    const outcomes: (Stored | Failure | undefined)[] = [];
    const ends = performance.now() + groupTime;
    let [bytes, rows] = [0, 0];
    try {
      for (const item of this.#queue) {
        if (!('run' in item)) rows += item.rows.length + (item.key === undefined ? 0 : 1);
        if (rows > groupRows && group.length > 0) break;
        group.push(item);
        outcomes.push('run' in item ? runTask(item) : this.#append(item, clock));
        if ('size' in item) bytes += item.size;
        if (bytes > groupBytes || (group.length % 32 === 0 && performance.now() > ends)) break;
      }
    } finally {
      this.#queue = this.#queue.slice(group.length);
    }
    return outcomes;
  }

  #append(append: Append, clock: number): Stored | Failure {
    const { streams, folder, tail, number } = this.#parts;
    try {
      throwIfDone(append.ctx);
    } catch (error) {
      return new Failure(error);
    }
    const { stream, key, rows } = append;
    const known = streams.byName(stream);
    const first = known && key !== undefined ? folder.find(known, key) : undefined;
    if (first !== undefined) return this.#storedBefore(first);
    if (key !== undefined && folder.isErased(stream, key)) return new Failure(new DuplicateErasedError(stream, key));
    const conflict = append.conflict(number, known?.head);
    if (conflict !== undefined) return new Failure(conflict);
    const seq = firstSeq(tail.position + 1);
    const state = known ?? streams.create(stream);
    for (let i = 0; i < rows.length; i++) this.#store(append, state, seq + i, clock, i);
    tail.position++;
    tail.events += rows.length;
    tail.tip = seq + rows.length - 1;
    return { seq, count: rows.length, clock };
  }

  #store({ rows, key, client }: Append, state: StreamState, seq: Seq, clock: number, i: number): void {
    const { streams, tail } = this.#parts;
    const row = rows[i] as NewRow;
    const kind = i === rows.length - 1 ? asLast(row.kind) : row.kind;
    const { type, data, time, schema, aggregate, cause, meta } = row;
    const ownKey = i === 0 && key !== undefined ? key : null;
    this.#insert.run(seq, state.id, kind, type, data, time, clock, client, schema, aggregate, cause, meta, ownKey);
    streams.add(state, seq, clock, ownKey);
    if (data !== null && data.length > tail.largest) tail.largest = data.length;
  }

  #storedBefore(seq: Seq): Stored {
    const end = (Math.floor(seq / maxCommit) + 1) * maxCommit;
    const [last, clock] = this.#endOf.get(seq, end) as unknown as [number, number];
    return { seq, count: last - seq + 1, clock };
  }

  #storeLog(): void {
    const { position, events, largest, indexed, generation, generationSince } = this.#parts.tail;
    this.#updateLog.run(position, events, largest, indexed, generation, generationSince);
  }

  #abort(): void {
    try {
      // SQLite may have rolled back by itself.
      if (this.#parts.db.isTransaction) this.#rollback.run();
      this.#parts.folder.reset();
      this.#parts.tail.reload();
    } catch {
      // The next transaction begins with another attempt to reload.
    }
  }

  #fail(items: readonly (Append | Task)[], error: unknown): void {
    const shown = asLogError(error, this.#parts.path);
    for (const item of items) item.fail(shown);
  }

  /** Another process is writing. Who does not want to wait any longer is told so. */
  #tryLater(error: unknown): void {
    this.#busySince ??= performance.now();
    if (performance.now() - this.#busySince > patience) {
      this.#busySince = undefined;
      this.#fail(this.#queue.splice(0), error);
      return;
    }
    this.#queue = this.#queue.filter((item) => !isDone(item));
    this.#isScheduled = true;
    setTimeout(() => this.#flush(), 1 + Math.random() * 4);
  }
}

function runTask(task: Task): Failure | undefined {
  try {
    task.run();
    return undefined;
  } catch (error) {
    if (isSqlite(error)) throw error;
    return new Failure(error);
  }
}

/** Whether the append's context is done; it is failed then. */
function isDone(item: Append | Task): boolean {
  if ('run' in item) return false;
  try {
    throwIfDone(item.ctx);
    return false;
  } catch (error) {
    item.fail(error);
    return true;
  }
}
