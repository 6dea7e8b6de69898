import { StructSchema } from '@bufbuild/protobuf/wkt';
import { DomainError } from '@samovar/errors';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkNewEvent, checkStream, Data, type DataType, parseEventId, stream } from './eda.ts';

const runs = { numRuns: 500 };

/** What `call` gives; undefined if it fails with one of these errors. Any other error fails the test. */
function allowing<T>(ids: readonly string[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (DomainError.is(error) && ids.includes(error.id)) return undefined;
    throw error;
  }
}

const types = fc.oneof(fc.constantFrom('json', 'string', 'bytes', 'proto', 'nil'), fc.string(), fc.anything());
const texts = fc.string({ unit: 'binary', maxLength: 300 });
const stored = fc.oneof(fc.uint8Array({ maxLength: 200 }), texts, fc.json());

it('decodes any bytes of any kind, or says that it cannot', () => {
  const check = (type: unknown, payload: Uint8Array | string) => {
    const damaged = <T>(call: () => T) => allowing(['eda.dataEncoding'], call);
    const data = damaged(() => Data.decode(type as DataType, payload));
    if (data === undefined) return;
    damaged(() => data.json());
    expect(typeof (damaged(() => data.string()) ?? '')).toBe('string');
    expect(damaged(() => data.bytes()) ?? new Uint8Array()).toBeInstanceOf(Uint8Array);
    damaged(() => data.proto(StructSchema));
    expect(damaged(() => data.encode()) ?? new Uint8Array()).toBeInstanceOf(Uint8Array);
    damaged(() => data.text());
  };
  fc.assert(fc.property(types, stored, check), runs);
});

it('keeps every payload that it takes', () => {
  const again = (data: Data) => Data.decode(data.type, data.text() ?? data.encode());
  const json = (value: unknown) => {
    expect(again(Data.json(value)).json()).toEqual(JSON.parse(JSON.stringify(value)));
  };
  const string = (text: string) => {
    expect(again(Data.string(text)).string()).toBe(text.toWellFormed());
  };
  const bytes = (given: Uint8Array) => {
    expect(again(Data.bytes(given)).bytes()).toEqual(given);
  };
  fc.assert(fc.property(fc.jsonValue(), json), runs);
  fc.assert(fc.property(texts, string), runs);
  fc.assert(fc.property(fc.uint8Array(), bytes), runs);
});

it('takes any text for an event id, or refuses it', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123789abJKZzſıK'.split('')), minLength: 25, maxLength: 27 });
  const check = (text: unknown) => {
    const id = allowing(['eda.invalidEventId'], () => parseEventId(text as string));
    if (id !== undefined) expect(id).toBe((text as string).toUpperCase());
    if (id !== undefined) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  };
  fc.assert(fc.property(fc.oneof(digits, texts, fc.anything()), check), runs);
});

it('takes any text for a stream name, or refuses it, and escapes any token', () => {
  const check = (name: unknown) => {
    const stream = allowing(['eda.invalidStream'], () => checkStream(name as string));
    if (stream !== undefined) expect(stream).toMatch(/^[\w~-]+(\.[\w~-]+)*$/);
  };
  fc.assert(fc.property(fc.oneof(texts, fc.anything()), check), runs);
  const token = fc.string({ unit: 'binary', maxLength: 15 });
  const escaping = (a: string, b: string) => {
    const names = [stream`s.${a}`, stream`s.${b}`];
    expect(names.map((name) => name.split('.').length)).toEqual([2, 2]);
    expect(names[0] === names[1]).toBe(a.toWellFormed() === b.toWellFormed());
  };
  fc.assert(fc.property(token, token, escaping), runs);
});

it('takes anything for an event, or refuses it', () => {
  const field = fc.oneof(texts, fc.anything());
  const fields = { type: field, data: field, time: fc.oneof(field, fc.date()), schema: field, aggregate: field };
  const event = fc.record({ ...fields, cause: field, meta: fc.oneof(fc.object(), field) }, { requiredKeys: [] });
  const check = (given: unknown) => allowing(['eda.invalidArgument'], () => checkNewEvent(given as never));
  fc.assert(fc.property(fc.oneof(event, fc.anything()), check), runs);
});
