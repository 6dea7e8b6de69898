import { background } from '@samovar/context';
import { Data, InvalidArgumentError, type NewEvent, stream } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { describe, expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, invalid, pour, read, refusal, refusalOf, Seen } from './moves.ts';
import { connected } from './testlog.ts';

/** What breaks out of quotes, patterns, subjects, lines and objects where somebody forgot about it. */
const texts = [
  "'; DROP TABLE events; --",
  '" OR ""="',
  '%_\\',
  '?1 $1 :a @a',
  'a.b.*.>',
  '$SYS.>',
  '_INBOX.x',
  '$JS.API.STREAM.DELETE.x',
  ' ',
  '../../etc/passwd',
  '$(x) {{x}} <x>',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'é \u{1F375} \u202E\uFEFF',
  'a'.repeat(255),
  '\u{1F375}'.repeat(127),
];
/** What no text may hold. */
const broken = [
  'a\u0000b',
  'a\r\nNats-Msg-Id: b',
  '\t',
  'a\u001bb',
  'a\u007f',
  'a\u0085b',
  'half \ud83c',
  '\udf75 half',
  'a'.repeat(256),
];
const legalNames = [
  '__proto__',
  'constructor.prototype',
  'toString',
  'hasOwnProperty',
  'select',
  '-',
  '_',
  '~',
  'a.-._.~',
];

export function hostileCases(backend: Backend): void {
  describe.each(texts.map((text) => [shown(text), text] as const))('%s', (_, text) => taken(backend, text));
  describe.each(broken.map((text) => [shown(text), text] as const))('%s', (_, text) => refused(backend, text));
  names(backend);
  meta(backend);
}

function taken(backend: Backend, text: string): void {
  it('is kept as type, schema, aggregate and meta, and as an escaped token', async () => {
    const conn = await connected(backend);
    const facts = { type: text, schema: text, aggregate: text, meta: objectOf([text, text]) };
    const name = text.length > 60 ? 'cups.1' : stream`cups.${text}`;
    const id = await conn.publish(background, name, { ...facts, data: Data.string(text) });
    await conn.publish(background, 'cups.other', pour(1));
    const found = await read(conn, name);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ stream: name, type: text, schema: text, aggregate: text });
    expect(found[0]?.data.string()).toBe(text);
    expect(Object.entries(found[0]?.meta ?? {})).toEqual([[text, text]]);
    expect(found[0]?.is(text)).toBe(true);
    expect(await conn.head(background, name)).toBe(id);
    expect(await read(conn, 'cups.*')).toHaveLength(2);
  });

  it('is a key of its own', async () => {
    const conn = await connected(backend);
    const options = { key: text };
    const id = await conn.publish(background, 'cups.1', pour(1), options);
    expect(await conn.publish(background, 'cups.1', pour(2), options)).toBe(id);
    expect(await conn.publish(background, 'cups.2', pour(3), options)).not.toBe(id);
    expect(await conn.publish(background, 'cups.1', pour(4), { key: 'k' })).not.toBe(id);
  });

  it("is a durable subscription's name", async () => {
    const conn = await connected(backend);
    await conn.publish(background, 'cups.1', pour(1));
    const options = { name: text, durable: true, backfill: true };
    const seen = new Seen();
    const first = await conn.subscribe('cups.*', seen.handle, options);
    await first.caughtUp(background);
    await first.close();
    expect((await collect(conn.subscriptions(background))).map(({ name }) => name)).toEqual([text]);
    const second = await conn.subscribe('cups.*', seen.handle, options);
    await second.caughtUp(background);
    await second.unsubscribe();
    expect(seen.numbers).toEqual([1]);
    expect(await collect(conn.subscriptions(background))).toEqual([]);
  });
}

function refused(backend: Backend, text: string): void {
  it.each(['type', 'schema', 'aggregate'])('is refused as %s', async (field) => {
    const conn = await connected(backend);
    const event = { ...pour(1), [field]: text } as NewEvent;
    expect(await refusalOf(() => conn.publish(background, 'cups.1', event))).toEqual(invalid(field));
    expect(await read(conn, '>')).toEqual([]);
  });

  it('is refused as a key, a name, a selector, a stream and an id', async () => {
    const conn = await connected(backend);
    const key = { key: text };
    expect(await refusalOf(() => conn.publish(background, 'cups.1', pour(1), key))).toEqual(invalid('key'));
    expect(await refusalOf(() => conn.subscribe('>', () => {}, { name: text }))).toEqual(invalid('name'));
    expect(await refusalOf(() => conn.subscribe(text, () => {}))).toEqual(refusal('eda.invalidSelector'));
    expect(await refusalOf(() => conn.publish(background, text, pour(1)))).toEqual(refusal('eda.invalidStream'));
    const after = { after: text as never };
    expect(await refusalOf(() => conn.read(background, '>', after))).toEqual(invalid('after'));
    expect(await read(conn, '>')).toEqual([]);
  });
}

function names(backend: Backend): void {
  it.each(legalNames)('keeps the stream %s apart from all others', async (name) => {
    const conn = await connected(backend);
    const id = await conn.publish(background, name, pour(1), { expectedHead: null });
    await conn.publish(background, 'cups.1', pour(2), { expectedHead: null });
    expect((await read(conn, name)).map((event) => event.id)).toEqual([id]);
    expect(await collect(conn.streams(background, name))).toEqual([{ stream: name, head: id, events: 1 }]);
    await conn.erase(background, name);
    expect(await conn.head(background, name)).toBeNull();
    expect(await read(conn, '>')).toHaveLength(1);
  });

  it.each(texts.filter((text) => !/^[\w.~-]+$/.test(text)).map((text) => [shown(text), text]))(
    'refuses %s as a stream, and takes it as a selector only if it is a pattern',
    async (_, name) => {
      const conn = await connected(backend);
      await conn.publish(background, 'cups.1', pour(1));
      expect(await refusalOf(() => conn.publish(background, name, pour(1)))).toEqual(refusal('eda.invalidStream'));
      expect(await refusalOf(() => conn.erase(background, name))).toEqual(refusal('eda.invalidStream'));
      if (name === 'a.b.*.>') expect(await read(conn, name)).toEqual([]);
      else expect(await refusalOf(() => read(conn, name))).toEqual(refusal('eda.invalidSelector'));
      expect(await read(conn, '>')).toHaveLength(1);
    },
  );
}

function meta(backend: Backend): void {
  it('keeps meta with names that objects have of themselves', async () => {
    const conn = await connected(backend);
    const entries = texts.slice(0, 17).map((text): [string, string] => [text, `of ${text}`]);
    await conn.publish(background, 'cups.1', { ...pour(1), meta: objectOf(...entries) });
    const [event] = await read(conn, 'cups.1');
    expect(new Map(Object.entries(event?.meta ?? {}))).toEqual(new Map(entries));
    expect(({} as Record<string, unknown>).of).toBeUndefined();
  });

  it('keeps values with several lines, and refuses other names and half characters', async () => {
    const conn = await connected(backend);
    await conn.publish(background, 'cups.1', { ...pour(1), meta: { a: 'b\n\u0000c' } });
    expect((await read(conn, 'cups.1'))[0]?.meta).toEqual({ a: 'b\n\u0000c' });
    for (const entry of [
      ['a\nb', 'c'],
      ['a\u0000', 'c'],
      ['a\ud83c', 'c'],
      ['a', '\udf75'],
      ['a', 'b'.repeat(16 * 1024)],
    ] as [string, string][]) {
      const event = { ...pour(2), meta: objectOf(entry) };
      expect(await refusalOf(() => conn.publish(background, 'cups.1', event))).toEqual(invalid('meta'));
    }
    expect(await read(conn, '>')).toHaveLength(1);
  });

  it.each([null, 7, 'text', [], [undefined], [null], { type: Symbol('x') }, new Date(), () => {}])(
    'refuses what is no event at all with an error that says so: %o',
    async (event) => {
      const conn = await connected(backend);
      const error = await refusalOf(() => conn.publishAll(background, 'cups.1', [event as never]));
      expect(DomainError.is(error) && error instanceof InvalidArgumentError).toBe(true);
      expect(await read(conn, '>')).toEqual([]);
    },
  );
}

/** An object with these as its own, whatever they are called. */
function objectOf(...entries: [string, string][]): Record<string, string> {
  return Object.fromEntries(entries);
}

function shown(text: string): string {
  const printable = JSON.stringify(text.toWellFormed());
  return printable.length > 40 ? `${printable.slice(0, 30)}… of ${text.length}` : printable;
}
