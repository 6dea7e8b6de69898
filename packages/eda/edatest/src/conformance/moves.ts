import { background } from '@samovar/context';
import {
  type Conn,
  Data,
  type Event,
  type EventId,
  type EventStream,
  type NewEvent,
  type ReadOptions,
} from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { expect, onTestFinished, vi } from 'vitest';

/** Milliseconds until a condition that should come true is given up on. */
const patience = 20_000;

/** The numbers from `from` on. */
export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** An event that carries a number. */
export function pour(n: number): NewEvent {
  return { type: 'tea.Poured', data: Data.json({ n }) };
}

/** The number that an event of {@link pour} carries. */
export function numberOf(event: Event): number {
  return event.data.json<{ n: number }>().n;
}

export function numbersOf(events: readonly Event[]): number[] {
  return events.map(numberOf);
}

export function idsOf(events: readonly Event[]): EventId[] {
  return events.map(({ id }) => id);
}

/** Publishes events that carry the `count` numbers from `from` on, in order, in few commits. */
export async function fill(conn: Conn, stream: string, count: number, from = 0): Promise<EventId[]> {
  const ids: EventId[] = [];
  for (let at = 0; at < count; at += 1000) {
    const events = range(Math.min(1000, count - at), from + at).map(pour);
    ids.push(...(await conn.publishAll(background, stream, events)));
  }
  return ids;
}

/** Publishes events that carry the `count` numbers from `from` on, all at once, in turn over the connections and streams. */
export function scatter(
  conns: readonly Conn[],
  streams: readonly string[],
  count: number,
  from = 0,
): Promise<EventId[]> {
  return Promise.all(
    range(count, from).map((n) => {
      const [conn, stream] = [conns[n % conns.length] as Conn, streams[n % streams.length] as string];
      return conn.publish(background, stream, pour(n));
    }),
  );
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** All events that a read gives. */
export function read(conn: Conn, selector: string, options?: ReadOptions): Promise<Event[]> {
  return collect(conn.read(background, selector, options));
}

/** The next `count` events of a stream that is being iterated. */
export async function take(iterator: AsyncIterator<Event>, count: number): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const { done, value } = await iterator.next();
    if (done) throw new Error(`the stream ended after ${events.length} events, not ${count}`);
    events.push(value);
  }
  return events;
}

export function iterate(events: EventStream): AsyncIterator<Event> {
  return events[Symbol.asyncIterator]();
}

/** Resolves when `check` does not throw. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: patience, interval: 2 });
}

/** What holds a handler up. It is let go at the end of the test at the latest, so that nothing hangs when that fails. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  onTestFinished(() => resolve());
  return { opened: promise, open: () => resolve() };
}

/** Collects what handlers get. */
export class Seen {
  readonly events: Event[] = [];

  /** A handler that notes the event and is content. */
  readonly handle = (_: unknown, event: Event): void => {
    this.events.push(event);
  };

  get numbers(): number[] {
    return numbersOf(this.events);
  }

  /** Resolves when at least `count` events have come. */
  reaches(count: number): Promise<void> {
    return eventually(() => expect(this.events.length).toBeGreaterThanOrEqual(count));
  }
}

export function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

const statuses: Readonly<Record<string, string>> = {
  'eda.headConflict': 'aborted',
  'eda.duplicateErased': 'failed_precondition',
  'eda.closed': 'failed_precondition',
  'eda.parked': 'failed_precondition',
  'eda.notParked': 'not_found',
  'eda.replayTooLarge': 'failed_precondition',
  'context.canceled': 'canceled',
  'context.deadlineExceeded': 'deadline_exceeded',
};

/** An error with this id; a refused argument names its field. */
export function refusal(id: string, field?: string): Error {
  const details = field === undefined ? {} : { details: expect.objectContaining({ field }) };
  return expect.objectContaining({ id, status: statuses[id] ?? 'invalid_argument', ...details });
}

export const invalid = (field: string): Error => refusal('eda.invalidArgument', field);

/** The DomainError that `call` throws or rejects with. */
export async function refusalOf(call: () => unknown): Promise<DomainError> {
  try {
    await call();
  } catch (error) {
    if (DomainError.is(error)) return error;
    throw error;
  }
  throw new Error('this should have been refused');
}
