import { type Context, withTimeout } from '@samovar/context';
import { type Conn, type EventId, ForeignEventIdError, HeadConflictError, type NewEvent } from '@samovar/eda';
import { type Lease, LeaseLostError } from './lease.ts';

/** A row to be sent. */
export interface QueuedRow {
  readonly seq: number;
  readonly id: string;
  readonly stream: string;
  readonly head: string | null;
  /** Characters of the stored event. */
  readonly size: number;
  readonly event: NewEvent;
}

export interface Outcome {
  readonly sent: readonly QueuedRow[];
  readonly failed: { readonly row: QueuedRow; readonly error: unknown } | undefined;
  readonly notBegun: readonly QueuedRow[];
}

/** Lost races against others who publish to the stream; then the key alone has to do. */
const maxConflicts = 3;

/**
 * Some rows of one stream on their way. What may have been sent before is looked for, from the head that was noted then;
 * and each is sent on the condition that the stream's head is still the one up to which was looked, so that even a
 * relay that was held up anywhere stores nothing twice, for however long.
 */
export class Sending {
  readonly stream: string;
  readonly rows: readonly QueuedRow[];
  readonly #conn: Conn;
  readonly #found = new Set<string>();
  #head: EventId | null = null;

  constructor(conn: Conn, stream: string, rows: readonly QueuedRow[]) {
    this.#conn = conn;
    this.stream = stream;
    this.rows = rows;
  }

  /** The stream's head up to which the rows are known not to be sent, save those found; '': it is empty. */
  get head(): string {
    return this.#head ?? '';
  }

  /** Finds out where the stream stands, and which rows it has. */
  async prepare(ctx: Context): Promise<void> {
    this.#head = await this.#conn.head(ctx, this.stream);
    const noted = new Set(this.rows.map(({ head }) => head));
    for (const head of noted) if (head !== null) await this.#look(ctx, head);
  }

  /** Sends what was not found, one after another; stops at the first that fails. @throws {LeaseLostError} */
  async send(ctx: Context, lease: Lease): Promise<Outcome> {
    for (const [i, row] of this.rows.entries()) {
      try {
        if (!this.#found.has(row.id)) await this.#publish(ctx, lease, row);
      } catch (error) {
        if (lease.remaining === 0) throw new LeaseLostError();
        return { sent: this.rows.slice(0, i), failed: { row, error }, notBegun: this.rows.slice(i + 1) };
      }
    }
    return { sent: this.rows, failed: undefined, notBegun: [] };
  }

  async #publish(ctx: Context, lease: Lease, { id, event }: QueuedRow): Promise<void> {
    for (let conflicts = 0; !this.#found.has(id); conflicts++) {
      const { remaining } = lease;
      if (remaining === 0) throw new LeaseLostError();
      using scope = withTimeout(ctx, remaining);
      const expected = conflicts < maxConflicts ? { expectedHead: this.#head } : {};
      try {
        this.#head = await this.#conn.publish(scope.ctx, this.stream, event, { key: id, ...expected });
        return;
      } catch (error) {
        if (!(error instanceof HeadConflictError)) throw error;
      }
      const before = this.head;
      this.#head = await this.#conn.head(ctx, this.stream);
      await this.#look(ctx, before);
    }
  }

  /** Remembers which of the rows are on the stream behind `head`. */
  async #look(ctx: Context, head: string): Promise<void> {
    const ids = new Set(this.rows.map(({ id }) => id));
    for await (const { meta } of this.#behind(ctx, head)) {
      if (meta.outbox !== undefined && ids.has(meta.outbox)) this.#found.add(meta.outbox);
    }
  }

  #behind(ctx: Context, head: string) {
    if (head === '') return this.#conn.read(ctx, this.stream);
    try {
      return this.#conn.read(ctx, this.stream, { after: head as EventId });
    } catch (error) {
      // The log was replaced: the new one may have been made from a copy, so all of it is looked through.
      if (error instanceof ForeignEventIdError) return this.#conn.read(ctx, this.stream);
      throw error;
    }
  }
}
