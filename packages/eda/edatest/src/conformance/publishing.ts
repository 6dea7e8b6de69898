import { create } from '@bufbuild/protobuf';
import { StringValueSchema, type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { background } from '@samovar/context';
import { type Conn, Data, type Event, type EventId, parseEventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { fill, idsOf, invalid, numbersOf, pour, range, read, refusalOf, scatter } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

const mebibyte = 1024 * 1024;
const unicode = 'čaj, 茶, שָׁי, \u{1F375}\u200D, "quoted"\\, line\nbreak, \u0000 and \uFEFF';

export function publishingCases(backend: Backend): void {
  envelope(backend);
  visibility(backend);
  payloads(backend);
  payloadsInMotion(backend);
  commits(backend);
  ids(backend);
}

function envelope(backend: Backend): void {
  it('keeps everything that an event is given', async () => {
    const conn = await (await TestLog.open(backend)).connect('kitchen');
    const cause = await conn.publish(background, 'orders.1', { type: 'tea.Ordered' });
    const facts = {
      type: 'tea.Pöured',
      schema: 'tea/2',
      aggregate: 'pot 7',
      cause,
      time: new Date('1969-07-20T20:17:40.123Z'),
    };
    const meta = { guest: unicode, '': 'no name' };
    const before = Date.now();
    const id = await conn.publish(background, 'cups.1', { ...facts, meta, data: Data.json({ n: 1 }) });
    const [event] = (await read(conn, 'cups.1')) as [Event];
    expect(event).toMatchObject({ ...facts, id, stream: 'cups.1', client: 'kitchen', deliveries: 0 });
    expect(event.meta).toEqual(meta);
    expect(event.data.json()).toEqual({ n: 1 });
    expect(Math.abs(event.ackTime.getTime() - before)).toBeLessThan(60_000);
    expect([event.is('tea.Pöured'), event.is('x', 'tea.Pöured'), event.is(), event.is('x')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('gives what an event leaves out its default', async () => {
    const conn = await connected(backend);
    const before = Date.now();
    const id = await conn.publish(background, 'cups.1', { type: 'tea.Poured' });
    const after = Date.now();
    const [event] = (await read(conn, 'cups.1')) as [Event];
    expect(event).toMatchObject({
      id,
      type: 'tea.Poured',
      schema: '',
      client: '',
      aggregate: '',
      cause: null,
      deliveries: 0,
    });
    expect(event.data.type).toBe('nil');
    expect(event.meta).toEqual({});
    expect(event.time.getTime()).toBeGreaterThanOrEqual(before);
    expect(event.time.getTime()).toBeLessThanOrEqual(after);
  });
}

function visibility(backend: Backend): void {
  it('takes names and texts of up to 255 characters', async () => {
    const [stream, text] = ['s'.repeat(255), 'é'.repeat(255)];
    const conn = await (await TestLog.open(backend)).connect(text);
    await conn.publish(background, stream, { type: text, schema: text, aggregate: text }, { key: text });
    const [event] = await read(conn, stream);
    expect(event).toMatchObject({ stream, type: text, schema: text, aggregate: text, client: text });
  });

  it('shows an event to every reader once its publication has resolved', async () => {
    const log = await TestLog.open(backend);
    const [writer, other] = (await log.connects(2)) as [Conn, Conn];
    for (const n of range(20)) {
      const id = await writer.publish(background, 'cups.1', pour(n));
      expect(await other.head(background, 'cups.1')).toBe(id);
      expect(idsOf(await read(other, '>', { backwards: true, limit: 1 }))).toEqual([id]);
    }
  });
}

function payloads(backend: Backend): void {
  it.each<[string, Data, (data: Data) => unknown, unknown]>([
    ['no payload', Data.nil, (data) => data.encode().length, 0],
    [
      'a JSON object',
      Data.json({ a: [1, 0.1, true, null, { b: unicode }] }),
      json,
      { a: [1, 0.1, true, null, { b: unicode }] },
    ],
    ['JSON null', Data.json(null), json, null],
    ['JSON of the empty object', Data.json({}), json, {}],
    ['JSON of a lone surrogate', Data.json('\ud83c'), json, '\ud83c'],
    ['JSON of 1 MiB', Data.json('é'.repeat(mebibyte / 2)), json, 'é'.repeat(mebibyte / 2)],
    ['the empty string', Data.string(''), text, ''],
    ['a string of all sorts', Data.string(unicode), text, unicode],
    ['a lone surrogate, replaced', Data.string('a\ud83cb'), text, 'a\ufffdb'],
    ['a string of 1 MiB', Data.string('茶 '.repeat(mebibyte / 4)), text, '茶 '.repeat(mebibyte / 4)],
    ['no bytes at all', Data.bytes(new Uint8Array(0)), bytes, []],
    ['every byte', Data.bytes(Uint8Array.from(range(256))), bytes, range(256)],
    ['a protobuf message', Data.proto(TimestampSchema, timestamp()), proto, timestamp()],
    [
      'an empty protobuf message',
      Data.proto(StringValueSchema, create(StringValueSchema)),
      (d) => d.proto(StringValueSchema).value,
      '',
    ],
  ])('keeps %s', async (_, data, decode, value) => {
    const conn = await connected(backend);
    await conn.publishAll(background, 'cups.1', [{ type: 'a', data }, pour(1)]);
    const [event, next] = (await read(conn, 'cups.1')) as [Event, Event];
    expect(event.data.type).toBe(data.type);
    expect(decode(event.data)).toEqual(value);
    expect(Buffer.from(event.data.encode()).equals(data.encode())).toBe(true);
    expect(numbersOf([next])).toEqual([1]);
  });
}

function payloadsInMotion(backend: Backend): void {
  it('keeps 1 MiB of bytes', async () => {
    const conn = await connected(backend);
    const mebi = Buffer.alloc(mebibyte, 'every byte counts\u00ff', 'latin1');
    await conn.publish(background, 'cups.1', { type: 'a', data: Data.bytes(mebi) });
    const [event] = (await read(conn, 'cups.1')) as [Event];
    expect(mebi.equals(event.data.bytes())).toBe(true);
  });

  it('stores the event as it was when publish was called, whatever the caller does to it afterwards', async () => {
    const conn = await connected(backend);
    const cup = { n: 1 };
    const event = { type: 'tea.Poured', data: Data.json(cup), meta: { guest: 'ann' }, time: new Date(0) };
    const batch = [event];
    const [one, all] = [conn.publish(background, 'cups.1', event), conn.publishAll(background, 'cups.2', batch)];
    cup.n = 2;
    event.type = 'tea.Spilt';
    event.meta.guest = 'bob';
    event.time.setTime(1);
    batch.push(event);
    await Promise.all([one, all]);
    const stored = await read(conn, '>');
    expect(stored.map(({ type, meta, time }) => ({ type, meta, time }))).toEqual(
      Array(2).fill({ type: 'tea.Poured', meta: { guest: 'ann' }, time: new Date(0) }),
    );
    expect(numbersOf(stored)).toEqual([1, 1]);
  });
}

function commits(backend: Backend): void {
  it('stores the events of a commit next to each other and in order, whoever else publishes', async () => {
    const conns = await (await TestLog.open(backend)).connects(4);
    const batches = range(60).map((b) => {
      const conn = conns[b % 4] as Conn;
      return conn.publishAll(background, `cups.${b % 3}`, range(5, b * 5).map(pour));
    });
    const [ids] = await Promise.all([Promise.all(batches), scatter(conns, ['cups.0', 'pots'], 60, 1000)]);
    const events = await read(conns[0] as Conn, '>');
    expect(events).toHaveLength(360);
    for (const [b, batch] of ids.entries()) {
      const at = events.findIndex(({ id }) => id === batch[0]);
      expect(idsOf(events.slice(at, at + 5))).toEqual(batch);
      expect(numbersOf(events.slice(at, at + 5))).toEqual(range(5, b * 5));
    }
  });

  it('stores none of the events if one is refused', async () => {
    const conn = await connected(backend);
    const bad = { type: 'tea.Poured', aggregate: 7 as never };
    expect(await refusalOf(() => conn.publishAll(background, 'cups.1', [pour(1), pour(2), bad]))).toEqual(
      invalid('aggregate'),
    );
    expect(await conn.head(background, 'cups.1')).toBe(null);
    expect(await read(conn, '>')).toEqual([]);
  });

  it('stores up to 2,048 events in one commit, and refuses more', async () => {
    const conn = await connected(backend);
    const tooMany = range(2049).map(pour);
    expect(await refusalOf(() => conn.publishAll(background, 'cups.1', tooMany))).toEqual(invalid('events'));
    const ids = await conn.publishAll(background, 'cups.1', tooMany.slice(1));
    const events = await read(conn, 'cups.1');
    expect(numbersOf(events)).toEqual(range(2048, 1));
    expect(idsOf(events)).toEqual(ids);
  });

  it('answers a commit of no events with no ids, and stores nothing', async () => {
    const conn = await connected(backend);
    expect(await conn.publishAll(background, 'cups.1', [])).toEqual([]);
    expect(await conn.head(background, 'cups.1')).toBe(null);
  });
}

function ids(backend: Backend): void {
  it('gives ids that are well-formed, unique, and in the order of the log', async () => {
    const conn = await connected(backend);
    const ids = [...(await fill(conn, 'cups.1', 50)), ...(await scatter([conn], ['cups.1', 'pots'], 200))];
    expect(ids.map((id) => parseEventId(id))).toEqual(ids);
    expect(new Set(ids).size).toBe(250);
    expect(idsOf(await read(conn, '>'))).toEqual(ids.toSorted());
  });

  it('gives an event a greater id than all that were acknowledged before it was published', async () => {
    const conns = await (await TestLog.open(backend)).connects(5);
    let greatest = '' as EventId;
    const publisher = async (p: number) => {
      for (const n of range(20)) {
        const before = greatest;
        const id = await (conns[p % 5] as Conn).publish(background, `cups.${p % 7}`, pour(n));
        expect(id > before).toBe(true);
        if (id > greatest) greatest = id;
      }
    };
    await Promise.all(range(50).map(publisher));
    const found = idsOf(await read(conns[0] as Conn, '>'));
    expect(found).toHaveLength(1000);
    expect(found).toEqual(found.toSorted());
  });
}

function timestamp(): Timestamp {
  return create(TimestampSchema, { seconds: -14_182_940n, nanos: 123 });
}

const json = (data: Data): unknown => data.json();
const text = (data: Data): unknown => data.string();
const bytes = (data: Data): unknown => [...data.bytes()];
const proto = (data: Data): unknown => data.proto(TimestampSchema);
