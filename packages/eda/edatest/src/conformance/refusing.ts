import { background } from '@samovar/context';
import { Data, type NewEvent, type PublishOptions, type ReadOptions, type SubscriptionOptions } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, invalid, pour, read, refusal, refusalOf } from './moves.ts';
import { connected } from './testlog.ts';

const long = 'x'.repeat(256);
const badStreams = [
  '',
  '.',
  'cups.',
  '.cups',
  'cups..1',
  'cups 1',
  'cups.*',
  '>',
  'tåss',
  'cups/1',
  'cups\n',
  7,
  null,
  undefined,
];
const badSelectors = [
  '',
  '.',
  'cups.',
  'cups..*',
  'cups*',
  'cups.1*',
  '>.cups',
  'cups.>.1',
  '>>',
  'cups.%',
  'cups ',
  7,
  null,
];

export function refusingCases(backend: Backend): void {
  names(backend);
  events(backend);
  options(backend);
  subscriptionOptions(backend);
  otherLogs(backend);
}

function names(backend: Backend): void {
  it.each([...badStreams.map((name) => [show(name), name]), ['of 256 characters', long]])(
    'refuses the stream name %s',
    async (_, name) => {
      const conn = await connected(backend);
      const stream = name as string;
      const refused = refusal('eda.invalidStream');
      expect(await refusalOf(() => conn.publish(background, stream, pour(1)))).toEqual(refused);
      expect(await refusalOf(() => conn.publishAll(background, stream, [pour(1)]))).toEqual(refused);
      expect(await refusalOf(() => conn.head(background, stream))).toEqual(refused);
      expect(await read(conn, '>')).toEqual([]);
    },
  );

  it.each([...badSelectors.map((text) => [show(text), text]), ['of 256 characters', long]])(
    'refuses the selector %s',
    async (_, text) => {
      const conn = await connected(backend);
      const selector = text as string;
      const refused = refusal('eda.invalidSelector');
      // A read refuses at once, not when it is iterated.
      expect(() => conn.read(background, selector)).toThrow(refused);
      expect(await refusalOf(() => collect(conn.streams(background, selector)))).toEqual(refused);
      expect(await refusalOf(() => conn.subscribe(selector, () => {}))).toEqual(refused);
    },
  );
}

function events(backend: Backend): void {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;

  it.each<[string, string, object]>([
    ['no type', 'type', { type: undefined }],
    ['an empty type', 'type', { type: '' }],
    ['a type of 256 characters', 'type', { type: long }],
    ['a type with a line break', 'type', { type: 'tea\nPoured' }],
    ['a payload that is no Data', 'data', { data: { n: 1 } }],
    ['a time that is no Date', 'time', { time: '2020-01-01' }],
    ['an invalid Date', 'time', { time: new Date(Number.NaN) }],
    ['a schema that is no text', 'schema', { schema: 2 }],
    ['a schema of 256 characters', 'schema', { schema: long }],
    ['an aggregate of 256 characters', 'aggregate', { aggregate: long }],
    ['a cause that is no event id', 'cause', { cause: 'the weather' }],
    ['meta that is no object', 'meta', { meta: 'guest' }],
    ['meta with a number', 'meta', { meta: { guest: 7 } }],
  ])('refuses an event with %s, and names its %s', async (_, field, part) => {
    const conn = await connected(backend);
    const event = { ...pour(1), ...part } as NewEvent;
    expect(await refusalOf(() => conn.publish(background, 'cups.1', event))).toEqual(invalid(field));
    expect(await refusalOf(() => conn.publishAll(background, 'cups.1', [pour(1), event]))).toEqual(invalid(field));
    expect(await read(conn, '>')).toEqual([]);
  });

  it.each([
    ['undefined', undefined],
    ['a cycle', cyclic],
    ['a function', () => {}],
  ])('refuses JSON of %s', async (_, value) => {
    const conn = await connected(backend);
    const event = { type: 'tea.Poured', data: Data.json(value) };
    expect(await refusalOf(() => conn.publish(background, 'cups.1', event))).toEqual(refusal('eda.dataEncoding'));
    expect(await read(conn, '>')).toEqual([]);
  });
}

function options(backend: Backend): void {
  it.each<[string, string, object]>([
    ['key', 'empty', { key: '' }],
    ['key', '256 characters long', { key: long }],
    ['key', '7', { key: 7 }],
    ['expectedHead', 'the first', { expectedHead: 'the first' }],
    ['expectedHead', '7', { expectedHead: 7 }],
  ])('refuses to publish where %s is %s', async (field, _, bad) => {
    const conn = await connected(backend);
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(1), bad as PublishOptions))).toEqual(
      invalid(field),
    );
    expect(await refusalOf(() => conn.publishAll(background, 'cups.1', [pour(1)], bad as PublishOptions))).toEqual(
      invalid(field),
    );
    expect(await read(conn, '>')).toEqual([]);
  });

  it.each<[string, string, object]>([
    ['after', 'the first', { after: 'the first' }],
    ['limit', '-1', { limit: -1 }],
    ['limit', '1.5', { limit: 1.5 }],
    ['limit', 'NaN', { limit: Number.NaN }],
    ['limit', '3', { limit: '3' }],
    ['backwards', 'yes', { backwards: 'yes' }],
    ['watch', '1', { watch: 1 }],
    ['watch', 'true when backwards', { watch: true, backwards: true }],
  ])('refuses at once to read where %s is %s', async (field, _, bad) => {
    const conn = await connected(backend);
    expect(() => conn.read(background, 'cups.1', bad as ReadOptions)).toThrow(invalid(field));
  });
}

function subscriptionOptions(backend: Backend): void {
  it.each<[string, string, object]>([
    ['name', 'empty', { name: '' }],
    ['name', '256 characters long', { name: long }],
    ['name', '7', { name: 7 }],
    ['backfill', 'yes', { backfill: 'yes' }],
    ['durable', '1', { durable: 1 }],
    ['reset', 'no', { reset: 'no' }],
    ['serial', 'null', { serial: null }],
    ['concurrency', '0', { concurrency: 0 }],
    ['concurrency', '1.5', { concurrency: 1.5 }],
    ['concurrency', '2 when serial', { serial: true, concurrency: 2 }],
    ['timeout', '0', { timeout: 0 }],
    ['timeout', 'NaN', { timeout: Number.NaN }],
    ['keyBy', 'guest', { keyBy: 'guest' }],
    ['keyBy', 'null', { keyBy: null }],
    ['keyBy', 'stream when serial', { keyBy: 'stream', serial: true }],
    ['maxDeliver', '0', { maxDeliver: 0 }],
    ['maxDeliver', '1.5', { maxDeliver: 1.5 }],
    ['maxDeliver', 'NaN', { maxDeliver: Number.NaN }],
    ['maxDeliver', '10', { maxDeliver: '10' }],
  ])('refuses to subscribe where %s is %s', async (field, _, bad) => {
    const conn = await connected(backend);
    expect(await refusalOf(() => conn.subscribe('cups.1', () => {}, bad as SubscriptionOptions))).toEqual(
      invalid(field),
    );
  });

  it('refuses to subscribe with a handler that is no function', async () => {
    const conn = await connected(backend);
    expect(await refusalOf(() => conn.subscribe('cups.1', 'pour' as never))).toEqual(invalid('handle'));
  });
}

function otherLogs(backend: Backend): void {
  it('refuses ids of another log wherever one may be given', async () => {
    const [conn, other] = await Promise.all([connected(backend), connected(backend)]);
    const foreign = await other.publish(background, 'cups.1', pour(1));
    await conn.publish(background, 'cups.1', pour(1));
    await using subscription = await conn.subscribe('cups.1', () => {});
    const refused = refusal('eda.foreignId');
    expect(() => conn.read(background, 'cups.1', { after: foreign })).toThrow(refused);
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(2), { expectedHead: foreign }))).toEqual(
      refused,
    );
    expect(await refusalOf(() => conn.publish(background, 'cups.1', { ...pour(2), cause: foreign }))).toEqual(refused);
    expect(await refusalOf(() => subscription.caughtUp(background, foreign))).toEqual(refused);
    expect(await read(conn, '>')).toHaveLength(1);
  });
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
