import { eventToJson, parseEventId } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StoredEvent } from './event.ts';
import { decodeId, encodeId } from './ids.ts';
import { parseSelector } from './selector.ts';

const runs = { numRuns: 500 };

function allowing<T>(id: string, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (DomainError.is(error) && error.id === id) return undefined;
    throw error;
  }
}

/** Whether a selector matches, token by token. */
function matches(selector: string, stream: string): boolean {
  const [patterns, tokens] = [selector.split('.'), stream.split('.')];
  if (patterns.at(-1) === '>' ? tokens.length < patterns.length : tokens.length !== patterns.length) return false;
  return patterns.every((pattern, i) => pattern === '*' || pattern === '>' || pattern === tokens[i]);
}

it('takes any text for a selector, or refuses it', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.anything());
  const check = (given: unknown) => void allowing('eda.invalidSelector', () => parseSelector(given as string));
  fc.assert(fc.property(text, check), runs);
});

it('has selectors match by their tokens, whatever those are', () => {
  const token = fc.constantFrom('a', 'b', 'a-b', '-', '_', '~', '~2E', 'constructor', '__proto__');
  const selector = fc
    .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 4 }), fc.oneof(token, fc.constantFrom('*', '>')))
    .map(([first, last]) => [...first, last].join('.'));
  const stream = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
  const check = (text: string, name: string) => {
    const parsed = parseSelector(text);
    expect(parsed.matches(name)).toBe(matches(text, name));
    if (parsed.matches(name)) expect(name.startsWith(parsed.prefix)).toBe(true);
  };
  fc.assert(fc.property(selector, stream, check), runs);
});

it('takes any text for an id, or refuses it, as parseEventId does', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123789abJKZzſıK'.split('')), minLength: 25, maxLength: 27 });
  const check = (text: string) => {
    const parts = allowing('eda.invalidEventId', () => decodeId(text));
    const id = allowing('eda.invalidEventId', () => parseEventId(text));
    expect(parts === undefined).toBe(id === undefined);
    if (parts === undefined || parts.seq === Number.MAX_SAFE_INTEGER) return;
    expect(encodeId(parts.log, parts.seq, parts.last, parts.clock)).toBe(id);
  };
  fc.assert(fc.property(fc.oneof(digits, fc.string({ unit: 'binary' })), check), runs);
});

it('reads any stored payload, kind and meta, or says that they are damaged', () => {
  const stored = fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }), fc.constant(null));
  const json = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant(null));
  const check = (kind: number, payload: Uint8Array | string | null, meta: string | null) => {
    const row = [2048, 1, kind, 't', payload, 0, 0, null, null, null, null, meta] as const;
    const event = new StoredEvent(7, 's', row);
    allowing('eda.dataEncoding', () => eventToJson(event));
    expect(typeof (allowing('eda.dataEncoding', () => event.meta) ?? {})).toBe('object');
    expect(event.id).toBe(encodeId(7, 2048, (kind & 8) !== 0, 0));
  };
  fc.assert(fc.property(fc.integer({ min: -20, max: 40 }), stored, json, check), runs);
});
