import { type Context, throwIfDone } from '@samovar/context';
import { checkStream, type NewEvent } from '@samovar/eda';
import {
  FlushInTransactionError,
  GetStatusQuery,
  ListRowsQuery,
  type Outbox,
  type OutboxStatus,
  type Row,
  RowNotFoundError,
  RowNotStuckError,
  SkipRowCommand,
} from '@samovar/outbox';
import { prepare } from '@samovar/outboxcore';
import { v7 } from 'uuid';
import { encodeEvent } from './codec.ts';
import { Nudge } from './nudge.ts';
import type { RowStore } from './store.ts';
import type { Wakes } from './wakes.ts';

/** Milliseconds between looks whether rows are gone that another process may send; they double from the first on. */
const firstLookMs = 10;
const longestLookMs = 100;

/** What the service needs of the database beyond its rows. */
export interface Transactions {
  inTransaction<T>(ctx: Context, fn: (ctx: Context) => Promise<T>, options?: { retry?: boolean }): Promise<T>;
  afterCommit(ctx: Context, fn: () => void): void;
}

/** The outbox of one process. */
export class OutboxService implements Outbox {
  readonly #db: Transactions;
  readonly #rows: RowStore;
  readonly #wakes: Wakes;

  constructor(db: Transactions, rows: RowStore, wakes: Wakes) {
    this.#db = db;
    this.#rows = rows;
    this.#wakes = wakes;
  }

  async add(ctx: Context, stream: string, event: NewEvent): Promise<Context> {
    const id = v7();
    const prepared = prepare(ctx, id, stream, event);
    const row = { id, stream, type: event.type, event: encodeEvent(prepared.event) };
    const store = async (ctx: Context) => {
      await this.#rows.add(ctx, row);
      this.#db.afterCommit(ctx, () => this.#wakes.added(stream));
    };
    await this.#db.inTransaction(ctx, store, { retry: true });
    return prepared.inner;
  }

  async flushed(ctx: Context, stream?: string): Promise<void> {
    if (stream !== undefined) checkStream(stream);
    throwIfDone(ctx);
    if (this.#rows.isInTransaction(ctx)) throw new FlushInTransactionError();
    const newest = await this.#rows.newest(stream);
    if (newest === undefined) return;
    const nudge = new Nudge();
    using _ = this.#wakes.onGone(() => nudge.nudge());
    const onDone = () => nudge.nudge();
    ctx.signal.addEventListener('abort', onDone, { once: true });
    try {
      for (let ms = firstLookMs; !(await this.#rows.isGone(newest, stream)); ms = Math.min(2 * ms, longestLookMs)) {
        await nudge.wait(ms);
        throwIfDone(ctx);
      }
    } finally {
      ctx.signal.removeEventListener('abort', onDone);
    }
  }

  async listRows(ctx: Context, query: ListRowsQuery): Promise<readonly Row[]> {
    const { state, limit } = ListRowsQuery.parse(query);
    return await this.#rows.list(ctx, state, limit);
  }

  async getStatus(ctx: Context, query: GetStatusQuery): Promise<OutboxStatus> {
    GetStatusQuery.parse(query);
    return await this.#rows.status(ctx);
  }

  async skipRow(ctx: Context, command: SkipRowCommand): Promise<void> {
    const { id } = SkipRowCommand.parse(command);
    await this.#db.inTransaction(ctx, async (ctx) => {
      const stream = await this.#rows.skip(ctx, id);
      if (stream !== undefined) return this.#db.afterCommit(ctx, () => this.#wakes.skipped(stream));
      const row = await this.#rows.find(ctx, id);
      if (row === undefined) throw new RowNotFoundError(id);
      if (row.state !== 'skipped') throw new RowNotStuckError(id, row.state);
    });
  }
}
