import { readdirSync, readFileSync } from 'node:fs';
import { Data, type EventId } from '@samovar/eda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewRow } from '../append.ts';
import { kindOf } from '../event.ts';
import { decodeCommit, encodeCommit, type NewCommit } from './commit.ts';

const folder = new URL('./fixtures/', import.meta.url);
const clock = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const plain = { type: 'tea.Poured', data: null, time: clock, schema: null, aggregate: null, cause: null, meta: null };

function row(data: Data, facts: Partial<NewRow> = {}): NewRow {
  return {
    ...plain,
    kind: kindOf(data.type),
    data: data.type === 'nil' ? null : (data.text() ?? data.encode()),
    ...facts,
  };
}

/** What each fixture holds. They were written once, and stay as they are: logs are full of them. */
const golden: Readonly<Record<string, NewCommit>> = {
  nil: { clock, client: null, rows: [row(Data.nil)] },
  json: { clock, client: null, rows: [row(Data.json({ cup: 'čaj', n: [1, 0.5, null] }))] },
  string: { clock, client: null, rows: [row(Data.string('茶 \u0000'))] },
  'string-empty': { clock, client: null, rows: [row(Data.string(''))] },
  bytes: { clock, client: null, rows: [row(Data.bytes(Uint8Array.of(0, 1, 254, 255)))] },
  proto: { clock, client: null, rows: [row(Data.decode('proto', Uint8Array.of(8, 42)))] },
  full: {
    clock: 0,
    client: 'kitchen',
    rows: [
      row(Data.json(1), {
        time: -14_182_940_000,
        schema: '2',
        aggregate: 'pot 7',
        cause: '0000000001021MMR01M7YZNK1Y' as EventId,
        meta: JSON.stringify({ guest: 'ann', '': 'no name' }),
      }),
      row(Data.nil, { time: 0 }),
    ],
  },
};

describe('the form of commits on the wire', () => {
  it.each(Object.entries(golden))('writes and reads %s as it always has', (name, commit) => {
    const bytes = Buffer.from(readFileSync(new URL(`${name}.hex`, folder), 'utf8').replace(/\s/g, ''), 'hex');
    expect(Buffer.from(encodeCommit(commit)).toString('hex')).toBe(bytes.toString('hex'));
    const { events, ...rest } = decodeCommit(bytes);
    expect(rest).toEqual({ clock: commit.clock, client: commit.client ?? '' });
    expect(events).toHaveLength(commit.rows.length);
    for (const [i, { type, data, time, schema, aggregate, cause, meta, kind }] of commit.rows.entries()) {
      const texts = { type, time, schema: schema ?? '', aggregate: aggregate ?? '', cause };
      expect(events[i]).toMatchObject({ ...texts, meta: JSON.parse(meta ?? '{}') });
      expect(kindOf(events[i]?.dataType ?? 'nil')).toBe(kind);
      expect(Buffer.from(events[i]?.data ?? []).equals(Buffer.from(data ?? []))).toBe(true);
    }
  });

  it('writes nothing of a commit that cannot be written into the next', () => {
    const before = encodeCommit(golden.full as NewCommit);
    const broken = row(Data.json('tea'), { meta: '{' });
    expect(() => encodeCommit({ clock, client: 'kitchen', rows: [broken] })).toThrow(SyntaxError);
    expect(encodeCommit(golden.full as NewCommit)).toEqual(before);
  });

  it('has a fixture of each, and no other', () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      Object.keys(golden)
        .map((name) => `${name}.hex`)
        .toSorted(),
    );
  });

  it('passes over fields that it does not know', () => {
    const known = Uint8Array.from(encodeCommit(golden.json as NewCommit));
    const [number, text] = [Uint8Array.of(0xa0, 0x06, 5), Uint8Array.of(0xaa, 0x06, 2, 1, 2)];
    expect(decodeCommit(Uint8Array.of(...number, ...known, ...text))).toEqual(decodeCommit(known));
  });

  it.each([
    ['no bytes', ''],
    ['no event', '0801'],
    ['an event without a type', '08011a00'],
    ['an unknown kind of payload', '08011a050a01611009'],
    ['half of an event', '08011a050a0161'],
    ['an event that is longer than it says', '08011a030a026162'],
    ['an entry of meta that is longer than it says', '08011a090a016142030a026b6b'],
    ['a text that is not UTF-8', '08011a040a02c328'],
    ['a cause that is no id', '08011a060a01613a0178'],
    ['a clock beyond its bits', '0880808080808080081a030a0161'],
    ['a group that does not end', '0b'],
    ['text', Buffer.from('{"type":"tea.Poured"}').toString('hex')],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeCommit(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ id: 'eda.dataEncoding' }));
  });

  it('answers any bytes with a commit or a refusal', () => {
    const whole = encodeCommit(golden.full as NewCommit);
    const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => whole.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        try {
          const { events } = decodeCommit(bytes);
          for (const { data, dataType, meta } of events) {
            Object.keys(meta);
            Data.decode(dataType, data);
          }
        } catch (error) {
          expect(error).toMatchObject({ id: 'eda.dataEncoding' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
