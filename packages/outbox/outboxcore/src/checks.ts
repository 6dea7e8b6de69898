import { Data, InvalidArgumentError } from '@samovar/eda';

/** What `NewEvent` and `Conn.publish` promise to take. */
const longestText = 255;
const longestMeta = 16 * 1024;
const largestData = 8 * 1024 * 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** @throws {InvalidArgumentError} unless `text` has `least` to 255 characters, none of them for control. */
export function checkText(field: string, text: unknown, least: 0 | 1): void {
  if (typeof text !== 'string') throw new InvalidArgumentError(field, `is ${nameOf(text)}, not a text`);
  if (text.length < least) throw new InvalidArgumentError(field, 'is empty');
  if (text.length > longestText) throw new InvalidArgumentError(field, `has more than ${longestText} characters`);
  if (control.test(text)) throw new InvalidArgumentError(field, 'has control characters');
  if (!text.isWellFormed()) throw new InvalidArgumentError(field, 'has half of a character (a lone surrogate)');
}

/** @throws {InvalidArgumentError} unless a commit can hold `data`. @throws {DataEncodingError} */
export function checkData(data: unknown): void {
  if (!(data instanceof Data)) {
    throw new InvalidArgumentError('data', 'is no Data: make it with Data.json(value) or so');
  }
  const stored = data.text() ?? data.encode();
  const bytes = typeof stored === 'string' ? Buffer.byteLength(stored) : stored.length;
  if (bytes > largestData) throw new InvalidArgumentError('data', `is more than ${largestData} bytes`);
}

/** @throws {InvalidArgumentError} unless `time` is a valid Date. */
export function checkTime(time: unknown): void {
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('time', 'is no valid Date');
  }
}

/** @throws {InvalidArgumentError} unless `given` are texts, and `all` is not more than a log takes. */
export function checkMeta(given: unknown, all: Readonly<Record<string, unknown>>): void {
  if (typeof given !== 'object' || given === null) throw new InvalidArgumentError('meta', 'is no object');
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') {
      throw new InvalidArgumentError('meta', `has a ${nameOf(value)} under ${name}: write texts`);
    }
  }
  if (JSON.stringify(all).length > longestMeta) {
    const why = `is more than ${longestMeta} characters as JSON, with what the outbox adds`;
    throw new InvalidArgumentError('meta', why);
  }
}

function nameOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
