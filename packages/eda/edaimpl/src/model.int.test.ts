import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type PublishOptions } from '@samovar/eda';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect } from './edaimpl.ts';

/** A stream to erase. */
interface Erasure {
  readonly erase: number;
}

/** A publication to try: with which key, and which head expected: of its stream, none, or an id given before, by its index. */
interface Attempt {
  readonly stream: number;
  readonly count: number;
  readonly key: string | undefined;
  readonly expected: 'any' | 'none' | 'head' | number;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  stream: fc.nat(2),
  count: fc.integer({ min: 1, max: 3 }),
  key: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  expected: fc.oneof(fc.constantFrom('any', 'none', 'head'), fc.nat(20)),
});

const step: fc.Arbitrary<Attempt | Erasure> = fc.oneof(
  { weight: 5, arbitrary: attempt },
  { weight: 1, arbitrary: fc.record({ erase: fc.nat(2) }) },
);

/** What a log does, in a few lines. */
class Model {
  readonly streams = new Map<number, EventId[]>();
  /** All that were given out, also for what is erased. */
  readonly ids: EventId[] = [];
  readonly #keys = new Map<string, EventId[] | 'erased'>();

  options({ stream, key, expected }: Attempt): PublishOptions {
    const heads = { any: undefined, none: null, head: this.#head(stream) };
    const expectedHead = typeof expected === 'number' ? this.ids[expected] : heads[expected];
    return { ...(key === undefined ? {} : { key }), ...(expectedHead === undefined ? {} : { expectedHead }) };
  }

  /** What has to come of an attempt: the ids that its key got before, unless those are erased; a conflict; or new ids. */
  outcome({ stream, key }: Attempt, { expectedHead }: PublishOptions): EventId[] | 'erased' | 'conflict' | 'new' {
    const before = key === undefined ? undefined : this.#keys.get(`${stream} ${key}`);
    if (before !== undefined) return before;
    return expectedHead === undefined || expectedHead === this.#head(stream) ? 'new' : 'conflict';
  }

  store({ stream, key }: Attempt, ids: readonly EventId[]): void {
    this.streams.set(stream, [...(this.streams.get(stream) ?? []), ...ids]);
    this.ids.push(...ids);
    if (key !== undefined) this.#keys.set(`${stream} ${key}`, [...ids]);
  }

  erase(stream: number): void {
    this.streams.delete(stream);
    for (const name of this.#keys.keys()) if (name.startsWith(`${stream} `)) this.#keys.set(name, 'erased');
  }

  /** What is there, in log order. */
  get existing(): EventId[] {
    return [...this.streams.values()].flat().sort();
  }

  #head(stream: number): EventId | null {
    return this.streams.get(stream)?.at(-1) ?? null;
  }
}

async function read(conn: Conn, selector: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of conn.read(ctx, selector)) events.push(event);
  return events;
}

async function follow(conn: Conn, steps: readonly (Attempt | Erasure)[]): Promise<void> {
  const model = new Model();
  const payloads = new Map<EventId, number>();
  for (const [i, tried] of steps.entries()) {
    if ('erase' in tried) {
      await conn.erase(ctx, `s.${tried.erase}`);
      model.erase(tried.erase);
      continue;
    }
    const options = model.options(tried);
    const expected = model.outcome(tried, options);
    const numbers = Array.from({ length: tried.count }, (_, k) => i * 10 + k);
    const events = numbers.map((n) => ({ type: 't', data: Data.json(n) }));
    const outcome = await conn.publishAll(ctx, `s.${tried.stream}`, events, options).catch((error: unknown) => error);
    if (expected === 'erased') expect(outcome).toMatchObject({ id: 'eda.duplicateErased' });
    else if (expected === 'conflict') expect(outcome).toMatchObject({ id: 'eda.headConflict' });
    else if (expected !== 'new') expect(outcome).toEqual(expected);
    else {
      model.store(tried, outcome as EventId[]);
      for (const [k, id] of (outcome as EventId[]).entries()) payloads.set(id, numbers[k] as number);
    }
  }
  await compare(conn, model, payloads);
}

async function compare(conn: Conn, model: Model, payloads: ReadonlyMap<EventId, number>): Promise<void> {
  const found = await read(conn, '>');
  expect(found.map(({ id }) => id)).toEqual(model.existing);
  expect(found.map(({ data }) => data.json())).toEqual(model.existing.map((id) => payloads.get(id)));
  expect(model.ids).toEqual([...new Set(model.ids)].sort());
  for (const stream of [0, 1, 2]) {
    const ids = model.streams.get(stream) ?? [];
    expect((await read(conn, `s.${stream}`)).map(({ id }) => id)).toEqual(ids);
    expect(await conn.head(ctx, `s.${stream}`)).toBe(ids.at(-1) ?? null);
  }
  const infos: (string | number)[][] = [];
  for await (const { stream, events } of conn.streams(ctx)) infos.push([stream, events]);
  const expected = [0, 1, 2].flatMap((n) => (model.streams.has(n) ? [[`s.${n}`, model.streams.get(n)?.length]] : []));
  expect(infos).toEqual(expected);
}

let folder: string;
let logs = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(['memory', 'sqlite'])(
  'any sequence of publications and erasures has the outcome of a simple model: %s',
  async (backend) => {
    const run = async (steps: readonly (Attempt | Erasure)[]) => {
      await using conn = await connect(backend === 'memory' ? 'memory:' : `sqlite:${join(folder, `${++logs}.db`)}`);
      await follow(conn, steps);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), run), { numRuns: 60 });
  },
);
