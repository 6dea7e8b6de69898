import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Context, throwIfDone } from '@samovar/context';
import { Erased } from './erased.ts';
import type { Folder } from './folder.ts';
import { arrays, upTo } from './sql.ts';
import type { Streams } from './streams.ts';
import type { Tail } from './tail.ts';
import type { Writer } from './writer.ts';

/** Events folded in one transaction before the one that erases; more in each round, so that publishers are outrun. */
const foldStep = 2000;
/** Milliseconds of removing in one transaction. */
const removeTime = 3;
/** Events removed until the time is looked at. */
const removeStep = 100;
/** Names that are kept for their keys and looked at, after each erasure, to see whether they still have to be. */
const forgetStep = 10;

/** What an eraser works on. */
export interface ErasingParts {
  readonly db: DatabaseSync;
  readonly streams: Streams;
  readonly tail: Tail;
  readonly folder: Folder;
  readonly writer: Writer;
}

/**
 * Erases streams. The stream gets a name that no stream can have, which is immediate, whatever its size; its events are
 * removed in steps afterwards, by whoever opens the log next if this process does not get to it.
 */
export class Eraser {
  readonly #parts: ErasingParts;
  readonly #uncount: StatementSync;
  readonly #someOf: StatementSync;
  readonly #deleteEvent: StatementSync;
  readonly #unlist: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #oldest: StatementSync;
  readonly #isNeeded: StatementSync;
  readonly #forget: StatementSync;
  #stopped = false;

  constructor(parts: ErasingParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#uncount = db.prepare('UPDATE log SET events = events - ?');
    this.#someOf = arrays(
      db.prepare(`SELECT seq FROM stream_events WHERE stream = ? ORDER BY seq LIMIT ${removeStep}`),
    );
    this.#deleteEvent = db.prepare('DELETE FROM events WHERE seq = ?');
    this.#unlist = db.prepare('DELETE FROM stream_events WHERE stream = ? AND seq <= ?');
    const erased = `SELECT id FROM streams WHERE ${Erased.names}`;
    const event = 'EXISTS (SELECT 1 FROM stream_events WHERE stream = streams.id)';
    const key = 'EXISTS (SELECT 1 FROM keys WHERE generation IN (?1, ?1 - 1, ?1 - 2) AND stream = streams.id)';
    this.#unfinished = arrays(db.prepare(`${erased} AND ${event}`));
    this.#oldest = arrays(db.prepare(`${erased} ORDER BY name ${upTo}`));
    this.#isNeeded = db.prepare(`SELECT 1 FROM streams WHERE id = ?2 AND (${event} OR ${key})`);
    this.#forget = db.prepare('DELETE FROM streams WHERE id = ?');
  }

  /** @throws as `Conn.erase` says. */
  erase(ctx: Context, stream: string): Promise<void> {
    return until(ctx, this.#erase(ctx, stream));
  }

  /** Goes on with what a crash has left of earlier erasures, if anything is. */
  async resume(): Promise<void> {
    for (const [id] of this.#unfinished.all() as unknown as [number][]) await this.#remove(id);
  }

  /** What is not removed yet is left to whoever opens the log next. */
  stop(): void {
    this.#stopped = true;
  }

  async #erase(ctx: Context, stream: string): Promise<void> {
    let id: number | 'none' | undefined;
    for (let limit = foldStep; id === undefined; limit += foldStep) {
      const most = limit;
      id = await this.#inTransaction(() => {
        throwIfDone(ctx);
        return this.#rename(stream, most);
      });
    }
    if (id === 'none') return;
    await this.#remove(id);
    if (!this.#stopped) await this.#inTransaction(() => this.#forgetOldest());
  }

  /** Erases the stream, unless more than `limit` events of it are not folded; then so many of them are folded instead. */
  #rename(stream: string, limit: number): number | 'none' | undefined {
    const { streams, tail, folder } = this.#parts;
    const state = streams.byName(stream);
    if (state?.head === undefined) return 'none';
    const isReady = state.unfolded.length <= limit;
    folder.foldStream(state, limit);
    if (!isReady) return undefined;
    const { id, events } = state;
    tail.erased.add(id, stream, tail.generation);
    tail.erasedUpTo = tail.tip;
    tail.events -= events;
    this.#uncount.run(events);
    streams.erased(id);
    return id;
  }

  async #remove(id: number): Promise<void> {
    while (!this.#stopped && (await this.#inTransaction(() => this.#removeSome(id)))) {
      // The next step has its turn behind whatever else is waiting by now.
    }
  }

  /** Returns whether there is more. */
  #removeSome(id: number): boolean {
    const ends = performance.now() + removeTime;
    for (;;) {
      const seqs = this.#someOf.all(id) as unknown as [number][];
      let last: number | undefined;
      for (const [seq] of seqs) {
        this.#deleteEvent.run(seq);
        last = seq;
        if (performance.now() > ends) break;
      }
      if (last === undefined) return false;
      this.#unlist.run(id, last);
      if (performance.now() > ends) return true;
    }
  }

  /** Forgets the names of what was erased first, up to the first one whose keys still count. */
  #forgetOldest(): void {
    for (const [id] of this.#oldest.all(forgetStep) as unknown as [number][]) {
      if (this.#isNeeded.get(this.#parts.tail.generation, id) !== undefined) return;
      this.#forget.run(id);
    }
  }

  #inTransaction<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: T;
    const run = () => {
      result = work();
    };
    this.#parts.writer.add({ run, succeed: () => resolve(result), fail: reject });
    return promise;
  }
}

/** What `promise` gives, unless `ctx` is done before. */
async function until<T>(ctx: Context, promise: Promise<T>): Promise<T> {
  const { signal } = ctx;
  const { promise: done, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, done]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
