import { background, type Context, throwIfDone } from '@samovar/context';
import { type Conn, checkStream, type NewEvent } from '@samovar/eda';
import {
  GetStatusQuery,
  ListRowsQuery,
  type Outbox,
  type OutboxStatus,
  type Row,
  RowNotFoundError,
  RowNotStuckError,
  SkipRowCommand,
} from '@samovar/outbox';
import { errorText, prepare } from '@samovar/outboxcore';
import { v7 } from 'uuid';

/** What was added, as it was to be sent. */
export interface AddedEvent {
  /** The row's id. */
  readonly id: string;
  readonly stream: string;
  readonly event: NewEvent;
}

interface FakeRow {
  readonly added: AddedEvent;
  readonly since: string;
  state: Row['state'];
  attempts: number;
  error: string | null;
}

const retryMs = 10;

/**
 * An outbox in memory. It knows no transactions: what is added counts as committed, and is sent at once, each stream's
 * events in order. A test says which streams refuse.
 */
export class FakeOutbox implements Outbox {
  /** Everything that was added, in order, sent or not. */
  readonly added: AddedEvent[] = [];
  readonly #conn: Conn | undefined;
  /** What is not sent, in order. */
  readonly #rows = new Set<FakeRow>();
  readonly #refusing = new Map<string, Error>();
  readonly #sending = new Set<string>();
  readonly #waiting = new Set<() => void>();

  /** Events go to their streams on `conn`; without one, nowhere. */
  constructor(conn?: Conn) {
    this.#conn = conn;
  }

  /** Sending to `stream` fails with `fault` from now on; undefined: no longer. */
  refuse(stream: string, fault: Error | undefined): void {
    if (fault === undefined) this.#refusing.delete(stream);
    else this.#refusing.set(stream, fault);
    this.#send(stream);
  }

  async add(ctx: Context, stream: string, event: NewEvent): Promise<Context> {
    const id = v7();
    const prepared = prepare(ctx, id, stream, event);
    throwIfDone(ctx);
    const added = { id, stream, event: prepared.event };
    this.added.push(added);
    this.#rows.add({ added, since: new Date().toISOString(), state: 'waiting', attempts: 0, error: null });
    this.#send(stream);
    return prepared.inner;
  }

  async flushed(ctx: Context, stream?: string): Promise<void> {
    if (stream !== undefined) checkStream(stream);
    throwIfDone(ctx);
    const awaited = this.#unsent().filter(({ added }) => stream === undefined || added.stream === stream);
    const isOver = () => awaited.every((row) => !this.#rows.has(row) || row.state === 'skipped');
    while (!isOver()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const onDone = () => resolve();
      this.#waiting.add(resolve);
      ctx.signal.addEventListener('abort', onDone);
      await promise;
      this.#waiting.delete(resolve);
      ctx.signal.removeEventListener('abort', onDone);
      throwIfDone(ctx);
    }
  }

  async listRows(ctx: Context, query: ListRowsQuery): Promise<readonly Row[]> {
    const { state, limit } = ListRowsQuery.parse(query);
    throwIfDone(ctx);
    const rows = [...this.#rows].filter((row) => row.state === state).slice(0, limit);
    return rows.map(({ added: { id, stream, event }, since, attempts, error }) => {
      return { id, state, stream, type: event.type, since, attempts, error };
    });
  }

  async getStatus(ctx: Context, query: GetStatusQuery): Promise<OutboxStatus> {
    GetStatusQuery.parse(query);
    throwIfDone(ctx);
    const count = (state: Row['state']) => [...this.#rows].filter((row) => row.state === state).length;
    const oldest = this.#unsent()[0]?.since ?? null;
    return { waiting: count('waiting'), stuck: count('stuck'), skipped: count('skipped'), oldest };
  }

  async skipRow(ctx: Context, command: SkipRowCommand): Promise<void> {
    const { id } = SkipRowCommand.parse(command);
    throwIfDone(ctx);
    const row = [...this.#rows].find(({ added }) => added.id === id);
    if (row === undefined) throw new RowNotFoundError(id);
    if (row.state === 'waiting') throw new RowNotStuckError(id, row.state);
    row.state = 'skipped';
    this.#tell();
    this.#send(row.added.stream);
  }

  #unsent(): FakeRow[] {
    return [...this.#rows].filter(({ state }) => state !== 'skipped');
  }

  #send(stream: string): void {
    if (this.#sending.has(stream)) return;
    this.#sending.add(stream);
    void this.#sendAll(stream);
  }

  async #sendAll(stream: string): Promise<void> {
    // Whoever has just added goes on before it is sent.
    await Promise.resolve();
    for (;;) {
      const row = this.#unsent().find(({ added }) => added.stream === stream);
      if (row === undefined) {
        this.#sending.delete(stream);
        return;
      }
      if (await this.#sendOne(row)) continue;
      await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
    }
  }

  async #sendOne(row: FakeRow): Promise<boolean> {
    const { id, stream, event } = row.added;
    row.attempts++;
    try {
      const fault = this.#refusing.get(stream);
      if (fault !== undefined) throw fault;
      await this.#conn?.publish(background, stream, event, { key: id });
      this.#rows.delete(row);
      this.#tell();
      return true;
    } catch (error) {
      row.error = errorText(error);
      if (row.state === 'waiting') row.state = 'stuck';
      return false;
    }
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
