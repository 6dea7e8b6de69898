import { type EventId, InvalidEventIdError } from '@samovar/eda';

/**
 * Where an event stands in its log: the position of its commit times 2,048, plus its place in the commit. It grows from
 * one event to the next, and is a whole number below 2^53: room for 2^42 commits.
 */
export type Seq = number;

/** Events that one commit may hold. */
export const maxCommit = 2048;

/** What an event id says. Numbers its layout has room for, but no log reaches, are read as the largest ones. */
export interface IdParts {
  readonly seq: Seq;
  /** Whether the event is the last of its commit. */
  readonly last: boolean;
  readonly log: number;
  /** The publisher's clock, in milliseconds. */
  readonly clock: number;
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const letters = alphabet.split('');
const pairs = letters.flatMap((high) => letters.map((low) => high + low));
const values = new Int8Array(128).fill(-1);
for (const [value, letter] of letters.entries()) {
  values[letter.charCodeAt(0)] = value;
  values[letter.toLowerCase().charCodeAt(0)] = value;
}

const k30 = 2 ** 30;
let head = { high: -1, text: '' };
let tail = { log: -1, clock: -1, text: '' };

/*
 * 128 bits with two zero bits before them, five to a character:
 * position 48 | place 11 | last 1 | log 20 | clock 48. The first twelve characters end one bit short of the place.
 */

/** The id of an event. The ends that consecutive ids share are kept from one call to the next. */
export function encodeId(log: number, seq: Seq, last: boolean, clock: number): EventId {
  const half = Math.floor(seq / 2);
  const high = Math.floor(half / k30);
  const low = half % k30;
  if (head.high !== high) head = { high, text: six(high) };
  if (tail.clock !== clock || tail.log !== log) tail = { log, clock, text: tailText(log, clock) };
  const middle = ((seq % 2) << 4) | (last ? 8 : 0) | (log >>> 17);
  return (head.text + six(low) + letters[middle] + tail.text) as EventId;
}

/** What `id` says. Lower case is accepted. @throws {InvalidEventIdError} */
export function decodeId(id: string): IdParts {
  if (typeof id !== 'string' || id.length !== 26 || digits(id, 0, 1) > 7) throw new InvalidEventIdError(id);
  const high = digits(id, 0, 6);
  const low = digits(id, 6, 6);
  const middle = digits(id, 12, 1);
  const logLow = digits(id, 13, 3);
  const edge = digits(id, 16, 1);
  const clockHigh = digits(id, 17, 3);
  const clockLow = digits(id, 20, 6);
  return {
    seq: high >= 2 ** 22 ? Number.MAX_SAFE_INTEGER : (high * k30 + low) * 2 + (middle >>> 4),
    last: (middle & 8) !== 0,
    log: ((middle & 7) << 17) | (logLow << 2) | (edge >>> 3),
    clock: ((edge & 7) * 2 ** 15 + clockHigh) * k30 + clockLow,
  };
}

function six(value: number): string {
  return (pairs[value >>> 20] as string) + pairs[(value >>> 10) & 1023] + pairs[value & 1023];
}

function tailText(log: number, clock: number): string {
  const high = Math.floor(clock / k30);
  const edge = ((log & 3) << 3) | (high >>> 15);
  const logLow = (log >>> 2) & 0x7fff;
  return three(logLow) + letters[edge] + three(high & 0x7fff) + six(clock % k30);
}

function three(value: number): string {
  return (letters[value >>> 10] as string) + pairs[value & 1023];
}

function digits(id: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = values[id.charCodeAt(i)] ?? -1;
    if (digit < 0) throw new InvalidEventIdError(id);
    value = value * 32 + digit;
  }
  return value;
}
