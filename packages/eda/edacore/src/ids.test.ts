import { parseEventId } from '@samovar/eda';
import { describe, expect, it } from 'vitest';
import { decodeId, encodeId } from './ids.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The layout as the contract has it, slowly. */
function slowly(log: number, seq: number, last: boolean, clock: number): string {
  const [position, place] = [BigInt(seq) / 2048n, BigInt(seq) % 2048n];
  let bits = (position << 80n) | (place << 69n) | (BigInt(last) << 68n) | (BigInt(log) << 48n) | BigInt(clock);
  let text = '';
  for (let i = 0; i < 26; i++, bits >>= 5n) text = (alphabet[Number(bits & 31n)] as string) + text;
  return text;
}

const edges = [0, 1, 2, 3, 2047, 2048, 2049, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 52 + 7, Number.MAX_SAFE_INTEGER];
const logs = [0, 1, 2 ** 17 - 1, 2 ** 17, 2 ** 20 - 1, 0xabcde];
const clocks = [0, 1, 2 ** 30 - 1, 2 ** 30, 2 ** 45 - 1, 2 ** 45, 2 ** 48 - 1, 1_790_000_000_000];
const cases = edges.flatMap((seq) =>
  logs.flatMap((log) => clocks.map((clock, i) => ({ seq, log, clock, last: i % 2 === 0 }))),
);

describe('event ids', () => {
  it('have the bits of the contract, and say what they were made of', () => {
    for (const { seq, log, clock, last } of cases) {
      const id = encodeId(log, seq, last, clock);
      expect(id).toBe(slowly(log, seq, last, clock));
      expect(parseEventId(id)).toBe(id);
      expect(decodeId(id)).toEqual({ seq, log, clock, last });
      expect(decodeId(id.toLowerCase())).toEqual({ seq, log, clock, last });
    }
  });

  it('beyond what a log can hold are read as its end', () => {
    expect(decodeId('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toMatchObject({ seq: Number.MAX_SAFE_INTEGER, log: 2 ** 20 - 1 });
  });

  it.each(['', '0'.repeat(25), '0'.repeat(27), `8${'0'.repeat(25)}`, `${'0'.repeat(25)}I`, `${'0'.repeat(25)}ü`])(
    'are not %j',
    (text) => expect(() => decodeId(text)).toThrow(expect.objectContaining({ id: 'eda.invalidEventId' })),
  );
});
