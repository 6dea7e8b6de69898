import type { Context } from '@samovar/context';
import {
  type EventId,
  InvalidArgumentError,
  NotParkedError,
  type ParkedEvent,
  type ParkedEvents,
  type ReplayOptions,
  type ReplayReport,
  ReplayTooLargeError,
} from '@samovar/eda';
import type { LogEvent } from './backend.ts';
import { checkFlag, checkWhole, idOf } from './checks.ts';
import { encodeId, type Seq } from './ids.ts';
import type { Log } from './log.ts';
import type { Parked, ParkedRow } from './stored.ts';

const pageSize = 500;
const defaultLimit = 1000;

/** A parked event that still exists. */
interface Found {
  readonly row: ParkedRow;
  readonly event: LogEvent;
}

/** The parked events of a durable subscription, as the log keeps them. */
export class LogParkedEvents implements ParkedEvents {
  readonly #log: Log;
  readonly #name: string;
  readonly #parked: Parked;
  readonly #check: (ctx: Context) => void;

  /** `check` throws if `ctx` is done, or the connection closed. */
  constructor(log: Log, name: string, check: (ctx: Context) => void) {
    this.#log = log;
    this.#name = name;
    this.#parked = log.backend.subscriptions.parked(name);
    this.#check = check;
  }

  list(ctx: Context): AsyncIterable<ParkedEvent> {
    this.#check(ctx);
    return this.#list(ctx);
  }

  async count(ctx: Context): Promise<number> {
    this.#check(ctx);
    let count = 0;
    for await (const _ of this.#all(ctx)) count++;
    return count;
  }

  async oldest(ctx: Context): Promise<Date | null> {
    this.#check(ctx);
    let oldest = Number.POSITIVE_INFINITY;
    for await (const { row } of this.#all(ctx)) oldest = Math.min(oldest, row.since);
    return oldest === Number.POSITIVE_INFINITY ? null : new Date(oldest);
  }

  async replay(
    ctx: Context,
    which: EventId | readonly EventId[] | 'all',
    options: ReplayOptions = {},
  ): Promise<ReplayReport> {
    this.#check(ctx);
    const { dryRun = false, limit = defaultLimit } = options;
    checkFlag('dryRun', dryRun);
    if (limit !== Number.POSITIVE_INFINITY) checkWhole('limit', limit, 0);
    const named = which === 'all' ? undefined : this.#seqsOf('which', typeof which === 'string' ? [which] : which);
    const found = named === undefined ? this.#all(ctx) : this.#named(ctx, named);
    const report = new Report();
    const seqs: Seq[] = [];
    for await (const { row, event } of found) {
      seqs.push(row.seq);
      report.add(event);
      for await (const waiting of this.#waiting(ctx, row.key)) report.add(waiting);
    }
    if (dryRun) return report.report;
    if (report.events > limit) throw new ReplayTooLargeError(report.events, limit);
    this.#check(ctx);
    await this.#request(seqs, 'replay', named === undefined);
    return report.report;
  }

  async skip(ctx: Context, id: EventId): Promise<void> {
    this.#check(ctx);
    const seqs: Seq[] = [];
    for await (const { row } of this.#named(ctx, this.#seqsOf('id', [id]))) seqs.push(row.seq);
    await this.#request(seqs, 'skip', false);
  }

  #seqsOf(field: string, ids: readonly EventId[]): Seq[] {
    if (!Array.isArray(ids)) throw new InvalidArgumentError(field, "is no event id, list of them or 'all'");
    return [...new Set(ids.map((id: EventId) => idOf(this.#log.backend.number, field, id).seq))];
  }

  async *#list(ctx: Context): AsyncGenerator<ParkedEvent> {
    for await (const { row, event } of this.#all(ctx)) {
      const waiting: EventId[] = [];
      for await (const { id } of this.#waiting(ctx, row.key)) waiting.push(id);
      const { key, attempts, error, since } = row;
      yield { event, key: key ?? '', attempts, error, since: new Date(since), waiting };
    }
  }

  async *#all(ctx: Context): AsyncGenerator<Found> {
    await this.#log.backend.subscriptions.ready();
    for (let after = 0; ; ) {
      this.#check(ctx);
      const rows = this.#parked.rows(after, pageSize);
      yield* await this.#existing(rows);
      if (rows.length < pageSize) return;
      after = rows.at(-1)?.seq ?? after;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** @throws {NotParkedError} if one of them is not there. */
  async *#named(ctx: Context, seqs: readonly Seq[]): AsyncGenerator<Found> {
    await this.#log.backend.subscriptions.ready();
    for (const seq of seqs) {
      this.#check(ctx);
      const [row] = this.#parked.rows(seq - 1, 1);
      const [found] = row?.seq === seq ? await this.#existing([row]) : [];
      if (found === undefined) throw await this.#notParked(seq);
      yield found;
    }
  }

  /** Those that are parked as long as nothing is requested of them. */
  async #existing(rows: readonly ParkedRow[]): Promise<Found[]> {
    const parked = rows.filter(({ request }) => request === '');
    const existing = await this.#log.backend.at(parked.map(({ seq }) => seq));
    const events = new Map(existing.map((event) => [event.seq, event]));
    return parked.flatMap((row) => {
      const event = events.get(row.seq);
      return event === undefined ? [] : { row, event: event.delivered(row.attempts) };
    });
  }

  async *#waiting(ctx: Context, key: string | null): AsyncGenerator<LogEvent> {
    if (key === null) return;
    for (let after = 0; ; ) {
      const seqs = this.#parked.waiting(key, after, pageSize);
      yield* await this.#log.backend.at(seqs);
      if (seqs.length < pageSize) return;
      after = seqs.at(-1) ?? after;
      await new Promise((resolve) => setImmediate(resolve));
      this.#check(ctx);
    }
  }

  /** With `lenient`, those that are not parked any more are left out. @throws {NotParkedError} */
  async #request(seqs: readonly Seq[], request: 'replay' | 'skip', lenient: boolean): Promise<void> {
    for (let left = seqs; left.length > 0; ) {
      const others = await this.#log.backend.subscriptions.request(this.#name, left, request);
      const [first] = others;
      if (first === undefined) break;
      if (!lenient) throw await this.#notParked(first);
      const gone = new Set(others);
      left = left.filter((seq) => !gone.has(seq));
    }
    this.#log.requested(this.#name);
  }

  async #notParked(seq: Seq): Promise<NotParkedError> {
    const [event] = await this.#log.backend.at([seq]);
    return new NotParkedError(this.#name, event?.id ?? encodeId(this.#log.backend.number, seq, false, 0));
  }
}

class Report {
  events = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;

  get report(): ReplayReport {
    const { events } = this;
    return events === 0
      ? { events, from: null, to: null }
      : { events, from: new Date(this.#from), to: new Date(this.#to) };
  }

  add({ time }: LogEvent): void {
    this.events++;
    this.#from = Math.min(this.#from, time.getTime());
    this.#to = Math.max(this.#to, time.getTime());
  }
}
