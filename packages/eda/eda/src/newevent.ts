import { Data } from './data.ts';
import { InvalidArgumentError } from './errors.ts';
import type { NewEvent } from './event.ts';
import { parseEventId } from './eventid.ts';
import { Known } from './known.ts';

/** Bytes of payload that a commit may hold where its connection does not say otherwise. */
export const defaultMaxCommitBytes = 8 * 1024 * 1024;

/** An event whose payload is encoded: as text where it is text. */
interface Encoded {
  readonly data: Uint8Array | string | null;
}

const longestText = 255;
const longestMeta = 16 * 1024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const control = /[\u0000-\u001f\u007f-\u009f]/;
const knownTypes = new Known((type) => checkText('type', type, 1));

/**
 * Checks all that can be said of an event to publish without knowing its log and its commit. What is left is whether the
 * log gave out its `cause`, whether its payload can be encoded, and the bounds of {@link encodeMeta} and
 * {@link checkCommitBytes}.
 *
 * @throws {InvalidArgumentError} naming the field.
 */
export function checkNewEvent(event: NewEvent): void {
  if (typeof event !== 'object' || event === null) throw new InvalidArgumentError('event', 'is no object');
  const { type, data, time, schema, aggregate, cause, meta } = event;
  knownTypes.check(type);
  if (data !== undefined && !(data instanceof Data)) {
    throw new InvalidArgumentError('data', 'is no Data: make it with Data.json(value) or so');
  }
  if (time !== undefined && !(time instanceof Date && !Number.isNaN(time.getTime()))) {
    throw new InvalidArgumentError('time', 'is no valid Date');
  }
  if (schema !== undefined && schema !== '') checkText('schema', schema, 0);
  if (aggregate !== undefined && aggregate !== '') checkText('aggregate', aggregate, 0);
  if (cause !== undefined) checkCause(cause);
  if (meta !== undefined) checkMeta(meta);
}

/** @throws {InvalidArgumentError} unless `text` has `least` to 255 characters, none of them for control or halved. */
export function checkText(field: string, text: unknown, least: 0 | 1): void {
  if (typeof text !== 'string') throw new InvalidArgumentError(field, `is ${nameOf(text)}, not a text`);
  if (text.length < least) throw new InvalidArgumentError(field, 'is empty');
  if (text.length > longestText) throw new InvalidArgumentError(field, `has more than ${longestText} characters`);
  if (control.test(text)) throw new InvalidArgumentError(field, 'has control characters');
  if (!text.isWellFormed()) throw new InvalidArgumentError(field, 'has half of a character (a lone surrogate)');
}

/** `meta` as JSON. @throws {InvalidArgumentError} if that is longer than a log takes. */
export function encodeMeta(meta: Readonly<Record<string, string>>): string {
  const json = JSON.stringify(meta);
  if (json.length > longestMeta) {
    throw new InvalidArgumentError('meta', `is more than ${longestMeta} characters as JSON, with what was added to it`);
  }
  return json;
}

/**
 * The size of encoded payloads: at most their bytes, at least a third of them.
 *
 * @throws {InvalidArgumentError} if they have more than `most` bytes together.
 */
export function checkCommitBytes(commit: readonly Encoded[], most: number = defaultMaxCommitBytes): number {
  let size = 0;
  for (const { data } of commit) size += data?.length ?? 0;
  if (size * 3 <= most) return size;
  let bytes = 0;
  for (const { data } of commit) bytes += typeof data === 'string' ? Buffer.byteLength(data) : (data?.length ?? 0);
  if (bytes > most) {
    throw new InvalidArgumentError('data', `has ${bytes} bytes in one commit: maxCommitBytes allows ${most}`);
  }
  return size;
}

function checkCause(cause: string): void {
  try {
    parseEventId(cause);
  } catch (error) {
    throw new InvalidArgumentError('cause', (error as Error).message);
  }
}

function checkMeta(meta: unknown): void {
  if (typeof meta !== 'object' || meta === null) throw new InvalidArgumentError('meta', 'is no object');
  for (const [name, value] of Object.entries(meta)) {
    if (typeof value !== 'string') {
      throw new InvalidArgumentError('meta', `has a ${nameOf(value)} under ${name.slice(0, 80)}: write texts`);
    }
    if (control.test(name)) throw new InvalidArgumentError('meta', 'has a name with control characters');
    if (!name.isWellFormed() || !value.isWellFormed()) {
      throw new InvalidArgumentError('meta', 'has half of a character (a lone surrogate)');
    }
  }
}

function nameOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
