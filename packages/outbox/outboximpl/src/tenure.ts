import { type CancelScope, type Context, withCancel } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { errorText } from '@samovar/outboxcore';
import { isDone } from './done.ts';
import type { Lease } from './lease.ts';
import type { Changes, Queue } from './queue.ts';
import { type Outcome, type QueuedRow, Sending } from './sending.ts';

/** Told of what became of streams, once it is stored. */
export interface Report {
  failed(stream: string, row: QueuedRow, error: unknown): void;
  sent(stream: string): void;
}

interface Result {
  readonly sending: Sending;
  readonly outcome: Outcome;
  /** Whether its rows are stored as begun. */
  readonly begun: boolean;
}

/**
 * What one holder of the lease has under way. Each stream is sent to by itself, so that one that hangs delays no other;
 * what is to be stored of them all is stored together.
 */
export class Tenure {
  readonly lease: Lease;
  readonly #queue: Queue;
  readonly #conn: Conn;
  readonly #onProgress: () => void;
  readonly #scope: CancelScope;
  readonly #busy = new Map<string, Sending>();
  #rows = 0;
  #characters = 0;
  #prepared: Sending[] = [];
  #results: Result[] = [];

  /** `onProgress` is called when there is something to {@link store}. */
  constructor(ctx: Context, lease: Lease, queue: Queue, conn: Conn, onProgress: () => void) {
    this.lease = lease;
    this.#queue = queue;
    this.#conn = conn;
    this.#onProgress = onProgress;
    this.#scope = withCancel(ctx);
  }

  /** Streams under way. */
  get size(): number {
    return this.#busy.size;
  }

  /** What they hold in memory. */
  get rows(): number {
    return this.#rows;
  }
  get characters(): number {
    return this.#characters;
  }

  /** Of those, how many wait to be stored. */
  get ready(): number {
    return this.#prepared.length + this.#results.length;
  }

  isBusy(stream: string): boolean {
    return this.#busy.has(stream);
  }

  /** Sends `rows`, each stream's in their order. */
  start(rows: readonly QueuedRow[]): void {
    for (const [stream, ofStream] of Map.groupBy(rows, (row) => row.stream)) {
      const sending = new Sending(this.#conn, stream, ofStream);
      this.#busy.set(stream, sending);
      this.#count(sending, 1);
      void this.#prepare(sending);
    }
  }

  /** Stores what has come about, then sends what was only prepared. @throws {LeaseLostError} */
  async store(ctx: Context, report: Report): Promise<void> {
    const [prepared, results] = [this.#prepared, this.#results];
    this.#prepared = [];
    this.#results = [];
    await this.#queue.change(ctx, this.lease, changes(prepared, results));
    for (const { sending, outcome } of results) {
      this.#busy.delete(sending.stream);
      this.#count(sending, -1);
      if (outcome.failed !== undefined) report.failed(sending.stream, outcome.failed.row, outcome.failed.error);
      else report.sent(sending.stream);
    }
    for (const sending of prepared) void this.#send(sending);
  }

  /** Ends what is under way; what comes of it is not stored any more. */
  end(): void {
    this.#scope.cancel();
  }

  #count({ rows }: Sending, sign: 1 | -1): void {
    this.#rows += sign * rows.length;
    for (const { size } of rows) this.#characters += sign * size;
  }

  async #prepare(sending: Sending): Promise<void> {
    try {
      await sending.prepare(this.#scope.ctx);
      this.#prepared.push(sending);
    } catch (error) {
      const [row] = sending.rows;
      const failed = row && { row, error };
      this.#finish({ sending, outcome: { sent: [], failed, notBegun: [] }, begun: false });
    }
    this.#onProgress();
  }

  async #send(sending: Sending): Promise<void> {
    try {
      this.#finish({ sending, outcome: await sending.send(this.#scope.ctx, this.lease), begun: true });
    } catch {
      // The lease is over: the next turn of the relay sees it.
    }
    this.#onProgress();
  }

  #finish(result: Result): void {
    // What fails for being ended has not failed.
    if (!isDone(this.#scope.ctx)) this.#results.push(result);
  }
}

function changes(prepared: readonly Sending[], results: readonly Result[]): Changes {
  return {
    sent: results.flatMap(({ outcome }) => outcome.sent),
    failed: results.flatMap(({ outcome: { failed }, begun }) =>
      failed === undefined ? [] : [{ seq: failed.row.seq, error: errorText(failed.error), attempts: begun ? 0 : 1 }],
    ),
    notBegun: results.flatMap(({ outcome }) => outcome.notBegun.map(({ seq }) => seq)),
    begun: prepared.flatMap(({ rows, head }) => rows.map(({ seq }) => ({ seq, head }))),
  };
}
