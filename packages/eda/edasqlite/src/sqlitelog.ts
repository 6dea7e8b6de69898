import type { DatabaseSync } from 'node:sqlite';
import type { Context } from '@samovar/context';
import {
  type Append,
  type Head,
  type LocalLog,
  type Page,
  type PageRequest,
  type Selector,
  type Seq,
  type StoredEvent,
  type StreamPage,
  type Subscriptions,
  Wakes,
} from '@samovar/edacore';
import { Counts } from './counts.ts';
import { Eraser } from './eraser.ts';
import { asLogError, isBusy } from './errors.ts';
import { openFile } from './file.ts';
import { Folder } from './folder.ts';
import { Pages } from './pages.ts';
import { Snapshot } from './snapshot.ts';
import { Streams } from './streams.ts';
import { SqliteSubscriptions } from './subscriptions.ts';
import { Tail } from './tail.ts';
import { Writer } from './writer.ts';

/** Milliseconds between looks for what other processes have written, while somebody waits for it. */
const pollTime = 20;
/** Milliseconds that a read waits for another process that is recovering or truncating the log, each and in all. */
const pause = 5;
const patience = 5000;

/** A log in a SQLite file. */
export class SqliteLog implements LocalLog {
  readonly number: number;
  readonly leaseMs = 4000;
  readonly wakes = new Wakes((waiting) => this.#watch(waiting));
  readonly subscriptions: Subscriptions;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #snapshot: Snapshot;
  readonly #streams: Streams;
  readonly #tail: Tail;
  readonly #pages: Pages;
  readonly #counts: Counts;
  readonly #writer: Writer;
  readonly #eraser: Eraser;
  #poll: NodeJS.Timeout | undefined;

  /** @throws {NotALogError} @throws {LogUnavailableError} */
  constructor(path: string) {
    this.#path = path;
    this.#db = openFile(path);
    const db = this.#db;
    this.number = db.prepare('SELECT number FROM log').get()?.number as number;
    this.#snapshot = new Snapshot(db);
    this.#streams = new Streams(db);
    this.#tail = new Tail(db, this.#streams);
    this.#pages = new Pages(db, this.number, this.#streams, this.#tail);
    this.#counts = new Counts((after, prefix, limit) => this.#fresh(() => this.#streams.range(after, prefix, limit)));
    const folder = new Folder(db, this.#streams, this.#tail);
    const notify = (streams: ReadonlySet<string>) => this.wakes.notify(streams);
    const parts = { db, path, number: this.number, streams: this.#streams, tail: this.#tail, folder, notify };
    this.#writer = new Writer(parts);
    this.subscriptions = new SqliteSubscriptions(db, this.#writer, (read) => this.#fresh(read));
    this.#eraser = new Eraser({ ...parts, writer: this.#writer });
    this.#fresh(() => {});
    // Should it fail, there is another attempt when the log is opened again.
    this.#eraser.resume().catch(() => {});
  }

  append(append: Append): void {
    this.#writer.add(append);
  }

  page(selector: Selector, request: PageRequest): Page {
    return this.#fresh(() => this.#pages.page(selector, request));
  }

  at(seqs: readonly Seq[]): StoredEvent[] {
    return this.#fresh(() => this.#pages.at(seqs));
  }

  head(stream: string): Head | undefined {
    return this.#fresh(() => this.#streams.byName(stream)?.head);
  }

  streams(selector: Selector, after: string, limit: number): StreamPage {
    return this.#fresh(() => {
      const found = this.#streams.range(after, selector.prefix, limit);
      const streams = found.flatMap(({ name, head, events }) =>
        head !== undefined && selector.matches(name) ? { name, head, events } : [],
      );
      return { streams, next: found.length === limit ? found.at(-1)?.name : undefined };
    });
  }

  erase(ctx: Context, stream: string): Promise<void> {
    return this.#eraser.erase(ctx, stream);
  }

  isErased(seq: Seq): boolean {
    return seq <= this.#tail.erasedUpTo && this.at([seq]).length === 0;
  }

  tip(): Seq {
    return this.#fresh(() => this.#tail.tip);
  }

  count(selector: Selector): number | Promise<number> {
    if (selector.kind === 'all') return this.#fresh(() => this.#tail.events);
    if (selector.kind === 'exact') return this.#fresh(() => this.#streams.byName(selector.text)?.events ?? 0);
    return this.#counts.of(selector);
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  async close(): Promise<void> {
    this.#eraser.stop();
    await this.#writer.close();
    this.#watch(false);
    this.#db.close();
  }

  /** Reads with all that is committed anywhere, and tells those who wait for it. */
  #fresh<T>(read: () => T): T {
    for (const began = performance.now(); ; ) {
      try {
        const [changed, result] = this.#snapshot.of(() => [this.#tail.refresh(), read()] as const);
        this.wakes.notify(changed);
        return result;
      } catch (error) {
        if (!isBusy(error) || performance.now() - began > patience) throw asLogError(error, this.#path);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
      }
    }
  }

  #watch(waiting: boolean): void {
    clearInterval(this.#poll);
    this.#poll = waiting ? setInterval(() => this.#look(), pollTime) : undefined;
  }

  #look(): void {
    try {
      this.wakes.notify(this.#tail.refresh());
    } catch {
      // Whoever reads or publishes next is told.
    }
  }
}
