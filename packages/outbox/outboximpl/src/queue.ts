import type { Context } from '@samovar/context';
import type { Db } from '@samovar/db';
import { sql } from 'kysely';
import { decodeEvent } from './codec.ts';
import { type Fence, LeaseLostError } from './lease.ts';
import type { QueuedRow } from './sending.ts';
import type { Tables } from './tables.ts';

/** A stream with rows to send. */
export interface Pending {
  readonly stream: string;
  /** Its oldest row. */
  readonly first: number;
}

/** What has become of rows, and what is about to. */
export interface Changes {
  readonly sent: readonly Pick<QueuedRow, 'seq' | 'id'>[];
  /** With the attempts to add that are not counted yet. */
  readonly failed: readonly { readonly seq: number; readonly error: string; readonly attempts: number }[];
  /** Counted as begun, but it did not come to that. */
  readonly notBegun: readonly number[];
  /** About to be sent, with the head of their stream; '': it is empty. */
  readonly begun: readonly { readonly seq: number; readonly head: string }[];
}

export interface Loaded {
  readonly rows: QueuedRow[];
  readonly left: readonly string[];
}

export interface LeaseRow {
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

/** The outbox's rows, as the relay needs them. Nothing here takes longer the more streams there are, or have been. */
export interface Queue {
  /** Streams with rows to send whose names are behind `after`, in the order of their names. */
  streams(ctx: Context, after: string, limit: number): Promise<Pending[]>;
  /**
   * The oldest rows of `streams`, a stream's in order, up to `each` of a stream and no more of their events than fit in
   * `characters`, but one. `left` are the streams whose rows did not fit.
   */
  rows(ctx: Context, streams: readonly string[], each: number, characters: number): Promise<Loaded>;
  /** All or nothing, and only for whom the fence lets in. @throws {LeaseLostError} */
  change(ctx: Context, fence: Fence, changes: Changes): Promise<void>;
  lease(ctx: Context): Promise<LeaseRow>;
  /** Gives `owner` the lease, if it is still as `seen`. */
  takeLease(ctx: Context, seen: LeaseRow, owner: string): Promise<boolean>;
  /** Frees the lease, if it is still that of the fence. */
  freeLease(ctx: Context, fence: Fence): Promise<void>;
}

export class SqlQueue implements Queue {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async streams(ctx: Context, after: string, limit: number): Promise<Pending[]> {
    // From one name to the next by the index, however many rows a name has.
    const { rows } = await sql<Pending>`
      with recursive names (name) as (
        select min(stream) from outbox_rows where stream > ${after}
        union all
        select (select min(stream) from outbox_rows where stream > name) from names where name is not null
      )
      select name as stream, (select min(seq) from outbox_rows where stream = name) as first
      from names where name is not null limit ${limit}`.execute(this.#db.query(ctx));
    return rows;
  }

  async rows(ctx: Context, streams: readonly string[], each: number, characters: number): Promise<Loaded> {
    const found = await this.#oldest(ctx, streams, each);
    found.sort((a, b) => a.seq - b.seq);
    let room = characters;
    const fitting = found.filter(({ size }, i) => {
      room -= size;
      return i === 0 || room >= 0;
    });
    if (fitting.length === 0) return { rows: [], left: [] };
    const seqs = fitting.map(({ seq }) => seq);
    const queries = this.#db.query<Tables>(ctx);
    const events = await queries.selectFrom('outbox_rows').select(['seq', 'event']).where('seq', 'in', seqs).execute();
    const bySeq = new Map(events.map(({ seq, event }) => [seq, event]));
    const rows = fitting.flatMap((row) => {
      const event = bySeq.get(row.seq);
      // Skipped meanwhile.
      return event === undefined ? [] : [{ ...row, event: decodeEvent(event) }];
    });
    const fitted = new Set(fitting.map(({ stream }) => stream));
    return { rows, left: [...new Set(found.map(({ stream }) => stream))].filter((stream) => !fitted.has(stream)) };
  }

  async change(ctx: Context, fence: Fence, changes: Changes): Promise<void> {
    let at = 0;
    const run = async (ctx: Context) => {
      at = performance.now();
      const queries = this.#db.query<Tables>(ctx);
      const { numUpdatedRows } = await queries
        .updateTable('outbox_relay')
        .set((eb) => ({ beat: eb('beat', '+', 1) }))
        .where('owner', '=', fence.owner)
        .where('epoch', '=', fence.epoch)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) throw new LeaseLostError();
      await this.#apply(ctx, changes);
    };
    await this.#db.inTransaction(ctx, run, { retry: true });
    fence.renewed(at);
  }

  async lease(ctx: Context): Promise<LeaseRow> {
    const queries = this.#db.query<Tables>(ctx);
    return await queries.selectFrom('outbox_relay').select(['owner', 'epoch', 'beat']).executeTakeFirstOrThrow();
  }

  async takeLease(ctx: Context, seen: LeaseRow, owner: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .query<Tables>(ctx)
      .updateTable('outbox_relay')
      .set({ owner, epoch: seen.epoch + 1, beat: seen.beat + 1 })
      .where('epoch', '=', seen.epoch)
      .where('beat', '=', seen.beat)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  async freeLease(ctx: Context, { owner, epoch }: Fence): Promise<void> {
    await this.#db
      .query<Tables>(ctx)
      .updateTable('outbox_relay')
      .set({ owner: null })
      .where('owner', '=', owner)
      .where('epoch', '=', epoch)
      .execute();
  }

  async #oldest(ctx: Context, streams: readonly string[], each: number) {
    const names = sql.join(streams.map((stream) => sql`(cast(${stream} as text))`));
    // SQLite has no lateral joins, and PostgreSQL would look at every row for each name where SQLite uses the key.
    const query =
      this.#db.dialect === 'sqlite'
        ? sql<OldRow>`with names (name) as (values ${names})
            select seq, id, stream, head, size from names join outbox_rows on seq in
              (select other.seq from outbox_rows as other where other.stream = name order by other.seq limit ${each})`
        : sql<OldRow>`with names (name) as (values ${names})
            select oldest.* from names cross join lateral
              (select seq, id, stream, head, size from outbox_rows where stream = name order by seq limit ${each}) as oldest`;
    return (await query.execute(this.#db.query(ctx))).rows;
  }

  async #apply(ctx: Context, { sent, failed, notBegun, begun }: Changes): Promise<void> {
    const queries = this.#db.query<Tables>(ctx);
    if (sent.length > 0) {
      const seqs = sent.map(({ seq }) => seq);
      const { numDeletedRows } = await queries.deleteFrom('outbox_rows').where('seq', 'in', seqs).executeTakeFirst();
      // Given up while it was sent after all.
      if (numDeletedRows < sent.length) await queries.deleteFrom('outbox_skipped').where('seq', 'in', seqs).execute();
    }
    for (const { seq, error, attempts } of failed) {
      await queries
        .updateTable('outbox_rows')
        .set((eb) => ({ error, attempts: eb('attempts', '+', attempts) }))
        .where('seq', '=', seq)
        .execute();
    }
    if (notBegun.length > 0) {
      await queries
        .updateTable('outbox_rows')
        .set((eb) => ({ attempts: eb('attempts', '-', 1) }))
        .where('seq', 'in', notBegun)
        .execute();
    }
    if (begun.length > 0) {
      const heads = sql.join(begun.map(({ seq, head }) => sql`(cast(${seq} as bigint), cast(${head} as text))`));
      await sql`with begun (row, noted) as (values ${heads})
        update outbox_rows set attempts = attempts + 1, head = noted from begun where seq = row`.execute(queries);
    }
  }
}

type OldRow = Omit<QueuedRow, 'event'>;
