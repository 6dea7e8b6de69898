import { background, type Context } from '@samovar/context';
import type { Db } from '@samovar/db';
import type { OutboxStatus, Row, RowState } from '@samovar/outbox';
import { streamLock } from './locks.ts';
import type { Tables } from './tables.ts';

export interface NewRow {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly event: string;
}

/** The outbox's rows, as its service needs them. */
export interface RowStore {
  /** Stores a row in the transaction of `ctx`; its number is higher than those of its stream that are committed. */
  add(ctx: Context, row: NewRow): Promise<void>;
  /** The oldest first. */
  list(ctx: Context, state: RowState, limit: number): Promise<Row[]>;
  status(ctx: Context): Promise<OutboxStatus>;
  find(ctx: Context, id: string): Promise<Row | undefined>;
  /** Gives up a row that is stuck, and gives its stream; undefined: it is not, or no longer there. */
  skip(ctx: Context, id: string): Promise<string | undefined>;
  /** The number of the newest row that is committed and to be sent. */
  newest(stream: string | undefined): Promise<number | undefined>;
  /** Whether no row up to that number is to be sent any more. */
  isGone(seq: number, stream: string | undefined): Promise<boolean>;
  isInTransaction(ctx: Context): boolean;
}

const columns = ['id', 'stream', 'type', 'created', 'attempts', 'error'] as const;

export class SqlRowStore implements RowStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async add(ctx: Context, { id, stream, type, event }: NewRow): Promise<void> {
    const queries = this.#db.query<Tables>(ctx);
    // Else a row with a lower number could be committed after the relay has sent one with a higher number.
    if (this.#db.dialect === 'postgres') await streamLock(stream).execute(queries);
    const row = { id, stream, type, event, size: event.length, created: Date.now() };
    await queries.insertInto('outbox_rows').values(row).execute();
  }

  async list(ctx: Context, state: RowState, limit: number): Promise<Row[]> {
    const queries = this.#db.query<Tables>(ctx);
    if (state === 'skipped') {
      const skipped = await queries.selectFrom('outbox_skipped').select(columns).orderBy('seq').limit(limit).execute();
      return skipped.map((row) => toRow(row, 'skipped'));
    }
    const rows = await queries
      .selectFrom('outbox_rows')
      .select(columns)
      .where('error', state === 'stuck' ? 'is not' : 'is', null)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map((row) => toRow(row, state));
  }

  async status(ctx: Context): Promise<OutboxStatus> {
    const queries = this.#db.query<Tables>(ctx);
    const { rows, stuck, oldest } = await queries
      .selectFrom('outbox_rows')
      .select(({ fn }) => [
        fn.countAll<number>().as('rows'),
        fn.count<number>('error').as('stuck'),
        fn.min('created').as('oldest'),
      ])
      .executeTakeFirstOrThrow();
    const { skipped } = await queries
      .selectFrom('outbox_skipped')
      .select(({ fn }) => fn.countAll<number>().as('skipped'))
      .executeTakeFirstOrThrow();
    return { waiting: rows - stuck, stuck, skipped, oldest: oldest === null ? null : toTime(oldest) };
  }

  async find(ctx: Context, id: string): Promise<Row | undefined> {
    const queries = this.#db.query<Tables>(ctx);
    const row = await queries.selectFrom('outbox_rows').select(columns).where('id', '=', id).executeTakeFirst();
    if (row !== undefined) return toRow(row, row.error === null ? 'waiting' : 'stuck');
    const skipped = await queries.selectFrom('outbox_skipped').select(columns).where('id', '=', id).executeTakeFirst();
    return skipped && toRow(skipped, 'skipped');
  }

  async skip(ctx: Context, id: string): Promise<string | undefined> {
    const queries = this.#db.query<Tables>(ctx);
    const kept = ['seq', 'id', 'stream', 'type', 'event', 'created', 'attempts', 'error'] as const;
    // Deleted first: of two who skip it at once, one does.
    const [row] = await queries
      .deleteFrom('outbox_rows')
      .where('id', '=', id)
      .where('error', 'is not', null)
      .returning(kept)
      .execute();
    if (row === undefined) return undefined;
    await queries.insertInto('outbox_skipped').values(row).execute();
    return row.stream;
  }

  async newest(stream: string | undefined): Promise<number | undefined> {
    const row = await this.#pending(stream).orderBy('seq', 'desc').limit(1).executeTakeFirst();
    return row?.seq;
  }

  async isGone(seq: number, stream: string | undefined): Promise<boolean> {
    const row = await this.#pending(stream).where('seq', '<=', seq).orderBy('seq').limit(1).executeTakeFirst();
    return row === undefined;
  }

  isInTransaction(ctx: Context): boolean {
    return this.#db.query<Tables>(ctx).isTransaction;
  }

  /** Of what is committed. */
  #pending(stream: string | undefined) {
    const rows = this.#db.query<Tables>(background).selectFrom('outbox_rows').select('seq');
    return stream === undefined ? rows : rows.where('stream', '=', stream);
  }
}

function toRow(row: Omit<Row, 'state' | 'since'> & { readonly created: number }, state: RowState): Row {
  const { created, ...rest } = row;
  return { ...rest, state, since: toTime(created) };
}

function toTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
