import { randomInt } from 'node:crypto';
import { type Context, throwIfDone } from '@samovar/context';
import { ClosedError, DuplicateErasedError } from '@samovar/eda';
import {
  type Append,
  asLast,
  firstSeq,
  type Head,
  type LocalLog,
  type Page,
  type PageRequest,
  type Selector,
  type Seq,
  StoredEvent,
  type StreamPage,
  type Subscriptions,
  Wakes,
} from '@samovar/edacore';
import type { MemoryClock } from './clock.ts';
import { RecentKeys } from './recentkeys.ts';
import { MemorySubscriptions } from './subscriptions.ts';

/** Events looked through for one page. */
const span = 10_000;

/** A log in arrays. Everything happens in the call itself. */
export class MemoryLog implements LocalLog {
  readonly number = randomInt(2 ** 20);
  readonly leaseMs = Number.POSITIVE_INFINITY;
  readonly wakes = new Wakes();
  readonly subscriptions: Subscriptions = new MemorySubscriptions();
  readonly now = () => this.#clock.now();
  readonly #clock: MemoryClock;
  #events: StoredEvent[] = [];
  readonly #streams = new Map<string, { head: Head; readonly events: StoredEvent[] }>();
  readonly #keys: RecentKeys;
  #position = 0;
  #tip: Seq = 0;
  /** The last event that there was when something was erased; what was read since is not erased. */
  #erasedUpTo: Seq = 0;
  #closed = false;

  constructor(clock: MemoryClock) {
    this.#clock = clock;
    this.#keys = new RecentKeys(clock);
  }

  append(append: Append): void {
    try {
      if (this.#closed) throw new ClosedError('the event log');
      throwIfDone(append.ctx);
      this.#append(append);
    } catch (error) {
      append.fail(error);
    }
  }

  page(selector: Selector, { from, to, limit, backwards }: PageRequest): Page {
    const events = selector.kind === 'exact' ? (this.#streams.get(selector.text)?.events ?? []) : this.#events;
    const step = backwards ? -1 : 1;
    const found: StoredEvent[] = [];
    let i = backwards ? countUpTo(events, from - 1) - 1 : countUpTo(events, from);
    const end = backwards ? Math.max(-1, i - span) : Math.min(countUpTo(events, to), i + span);
    for (; i !== end && found.length < limit; i += step) {
      const event = events[i] as StoredEvent;
      if (selector.matches(event.stream)) found.push(event);
    }
    const more = backwards ? i >= 0 : i < events.length && (events[i] as StoredEvent).seq <= to;
    const tip = Math.min(this.tip(), to);
    return {
      events: found,
      cursor: more ? (events[i - step]?.seq ?? from) : backwards ? 0 : Math.max(tip, from),
      more,
    };
  }

  at(seqs: readonly Seq[]): StoredEvent[] {
    return seqs.flatMap((seq) => this.#at(seq) ?? []);
  }

  head(stream: string): Head | undefined {
    return this.#streams.get(stream)?.head;
  }

  streams(selector: Selector, after: string, limit: number): StreamPage {
    const names = [...this.#streams.keys()].filter((name) => name > after && selector.matches(name)).sort();
    const streams = names.slice(0, limit).map((name) => {
      const { head, events } = this.#streams.get(name) as { head: Head; events: StoredEvent[] };
      return { name, head, events: events.length };
    });
    return { streams, next: names.length > limit ? names[limit - 1] : undefined };
  }

  async erase(ctx: Context, stream: string): Promise<void> {
    if (this.#closed) throw new ClosedError('the event log');
    throwIfDone(ctx);
    if (!this.#streams.delete(stream)) return;
    this.#events = this.#events.filter((event) => event.stream !== stream);
    this.#erasedUpTo = this.#tip;
  }

  isErased(seq: Seq): boolean {
    return seq <= this.#erasedUpTo && this.#at(seq) === undefined;
  }

  tip(): Seq {
    return this.#tip;
  }

  count(selector: Selector): number {
    if (selector.kind === 'all') return this.#events.length;
    if (selector.kind === 'exact') return this.#streams.get(selector.text)?.events.length ?? 0;
    let count = 0;
    for (const [name, { events }] of this.#streams) if (selector.matches(name)) count += events.length;
    return count;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #append(append: Append): void {
    const { stream, key, rows, client } = append;
    const first = key === undefined ? undefined : this.#keys.get(stream, key);
    if (first !== undefined) {
      if (this.#at(first.seq) === undefined) throw new DuplicateErasedError(stream, key as string);
      append.stored(this.number, first.seq, first.count, first.clock);
      return;
    }
    const known = this.#streams.get(stream);
    const conflict = append.conflict(this.number, known?.head);
    if (conflict !== undefined) throw conflict;
    const seq = firstSeq(++this.#position);
    const clock = this.#clock.now();
    const state = known ?? { head: { seq, clock }, events: [] };
    for (const [i, { kind, type, data, time, schema, aggregate, cause, meta }] of rows.entries()) {
      const kindHere = i === rows.length - 1 ? asLast(kind) : kind;
      const row = [seq + i, 0, kindHere, type, data, time, clock, client, schema, aggregate, cause, meta] as const;
      const event = new StoredEvent(this.number, stream, row);
      state.events.push(event);
      this.#events.push(event);
    }
    this.#tip = seq + rows.length - 1;
    state.head = { seq: this.#tip, clock };
    this.#streams.set(stream, state);
    if (key !== undefined) this.#keys.add(stream, key, { seq, count: rows.length, clock });
    append.stored(this.number, seq, rows.length, clock);
    this.wakes.notify(new Set([stream]));
  }

  #at(seq: Seq): StoredEvent | undefined {
    const event = this.#events[countUpTo(this.#events, seq) - 1];
    return event?.seq === seq ? event : undefined;
  }
}

/** How many events of `events` are at `seq` or before. */
function countUpTo(events: readonly StoredEvent[], seq: Seq): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as StoredEvent).seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
