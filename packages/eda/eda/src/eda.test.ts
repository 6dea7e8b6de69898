import { create } from '@bufbuild/protobuf';
import { StringValueSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { checkStream, Data, type Event, eventToJson, parseEventId, stream } from './eda.ts';

const id = parseEventId('01JD7Z0000000000000000000Z');

describe('stream', () => {
  it.each([
    ['ann', 'stickers.ann'],
    [42, 'stickers.42'],
    ['a.b', 'stickers.a~2Eb'],
    ['~', 'stickers.~7E'],
    ['', 'stickers.~'],
    ['é*>', 'stickers.~C3~A9~2A~3E'],
    ['\u{1F375}', 'stickers.~F0~9F~8D~B5'],
    ['a b\n', 'stickers.a~20b~0A'],
  ])('escapes the token %j', (token, name) => {
    expect(stream`stickers.${token}`).toBe(name);
  });

  it('joins several tokens', () => {
    expect(stream`a.${1}.b-${'x'}.c`).toBe('a.1.b-x.c');
    expect(stream`plain.name`).toBe('plain.name');
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a.*', 'a.>', 'é', 'a\n', 'x'.repeat(256)])('%j is no name', (name) => {
    expect(() => checkStream(name)).toThrow(expect.objectContaining({ id: 'eda.invalidStream' }));
  });

  it('refuses a token that makes the name too long', () => {
    expect(() => stream`a.${'é'.repeat(100)}`).toThrow(/more than 255/);
    expect(checkStream('x'.repeat(255))).toHaveLength(255);
  });
});

describe('parseEventId', () => {
  it('takes lower case', () => {
    expect(parseEventId(id.toLowerCase())).toBe(id);
  });

  it.each(['', 'x', `${id}0`, id.slice(1), `8${id.slice(1)}`, id.replace('J', 'I'), `${id} `])('refuses %j', (text) => {
    expect(() => parseEventId(text)).toThrow(expect.objectContaining({ id: 'eda.invalidEventId' }));
  });
});

describe('Data', () => {
  const again = (data: Data) => Data.decode(data.type, data.encode());

  it('keeps what it is as text', () => {
    expect(Data.decode('json', Data.json({ a: 1 }).text() ?? '').json()).toEqual({ a: 1 });
    expect(Data.decode('string', Data.string('\uFEFFü\u0000').text() ?? '').string()).toBe('\uFEFFü\u0000');
    expect(again(Data.json({ a: 1 })).text()).toBe('{"a":1}');
    expect(Data.decode('string', 'ü').encode()).toEqual(Buffer.from('ü'));
    expect([Data.nil, Data.bytes(Uint8Array.of(1))].map((data) => data.text())).toEqual([undefined, undefined]);
    expect(() => Data.decode('string', Uint8Array.of(0xff)).text()).toThrow('cannot be read as string');
  });

  it.each([null, 0, false, '', 'tea', [1, [2]], { a: { b: 'ü \u{1F375}' } }])('keeps the JSON value %j', (value) => {
    expect(Data.json(value).json()).toEqual(value);
    expect(again(Data.json(value)).json()).toEqual(value);
  });

  it.each(['', 'tea', 'ü \u{1F375} \u0000', '\uFEFFbom'])('keeps the string %j', (text) => {
    expect(again(Data.string(text)).string()).toBe(text);
  });

  it('keeps bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(again(Data.bytes(bytes)).bytes()).toEqual(bytes);
  });

  it('keeps protobuf messages', () => {
    const data = Data.proto(TimestampSchema, create(TimestampSchema, { seconds: 5n }));
    expect(again(data).proto(TimestampSchema).seconds).toBe(5n);
  });

  it('keeps nothing', () => {
    expect(again(Data.nil)).toBe(Data.nil);
    expect(Data.nil.encode()).toHaveLength(0);
  });

  it('refuses to be read as another kind', () => {
    const kinds = [Data.json(1), Data.string('1'), Data.bytes(Uint8Array.of(1)), Data.nil];
    for (const data of kinds) {
      const reads = { json: () => data.json(), string: () => data.string(), bytes: () => data.bytes() };
      for (const [kind, read] of Object.entries(reads)) {
        if (kind !== data.type) expect(read).toThrow(`the payload is ${data.type}, not ${kind}`);
      }
      expect(() => data.proto(StringValueSchema)).toThrow('not proto');
    }
  });

  it('refuses what JSON cannot hold, and damaged bytes', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    for (const value of [undefined, 1n, () => {}, circular]) {
      expect(() => Data.json(value).encode()).toThrow(expect.objectContaining({ id: 'eda.dataEncoding' }));
    }
    expect(() => Data.decode('json', Buffer.from('{')).json()).toThrow('cannot be read as json');
    expect(() => Data.decode('string', Uint8Array.of(0xff)).string()).toThrow('cannot be read as string');
    expect(() => Data.decode('proto', Uint8Array.of(0xff)).proto(StringValueSchema)).toThrow('cannot be read as proto');
  });
});

describe('eventToJson', () => {
  const event: Omit<Event, 'data'> = {
    stream: 'stickers.ann',
    id,
    type: 'stickers.StickersSent',
    time: new Date(0),
    ackTime: new Date(1),
    schema: '1',
    client: 'test',
    aggregate: 'ann',
    cause: null,
    meta: { trace: 'x' },
    deliveries: 0,
    is: () => false,
  };

  it.each([
    [Data.json({ count: 1 }), { count: 1 }],
    [Data.string('tea'), 'tea'],
    [Data.bytes(Uint8Array.of(1, 2)), { base64: 'AQI=' }],
    [Data.proto(StringValueSchema, create(StringValueSchema, { value: 'x' })), { base64: 'CgF4' }],
    [Data.nil, null],
  ])('shows the data inline, or as base64', (data, shown) => {
    expect(JSON.parse(JSON.stringify(eventToJson({ ...event, data })))).toEqual({
      stream: 'stickers.ann',
      id,
      type: 'stickers.StickersSent',
      dataType: data.type,
      data: shown,
      time: '1970-01-01T00:00:00.000Z',
      ackTime: '1970-01-01T00:00:00.001Z',
      schema: '1',
      client: 'test',
      aggregate: 'ann',
      cause: null,
      meta: { trace: 'x' },
      deliveries: 0,
    });
  });
});
