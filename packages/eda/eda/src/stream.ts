import { InvalidStreamError } from './errors.ts';
import { Known } from './known.ts';

const token = /^[A-Za-z0-9_~-]+$/;
const longest = 255;
const known = new Known(check);

/**
 * A stream name from a template: `` stream`stickers.${userId}` ``. Whatever a token may not hold is written as `~` and
 * two hexadecimal digits for each byte of its UTF-8 form, the empty token as a single `~`; so different values give
 * different names, and no value adds a token.
 *
 * @throws {InvalidStreamError} if the result is no stream name, such as one of more than 255 characters.
 */
export function stream(parts: TemplateStringsArray, ...tokens: readonly (string | number)[]): string {
  return checkStream(parts.reduce((name, part, i) => name + escapeToken(String(tokens[i - 1])) + part));
}

/** `name` itself. @throws {InvalidStreamError} if it is no stream name. */
export function checkStream(name: string): string {
  known.check(name);
  return name;
}

function check(name: string): void {
  if (typeof name !== 'string' || name === '') throw new InvalidStreamError(name, 'it is empty');
  if (name.length > longest) throw new InvalidStreamError(name, `it has more than ${longest} characters`);
  if (!name.split('.').every((part) => token.test(part))) {
    throw new InvalidStreamError(name, 'its dot-separated tokens may hold letters, digits, _, - and ~ only');
  }
}

function escapeToken(value: string): string {
  if (value === '') return '~';
  return value.replace(/[^A-Za-z0-9_-]+/gu, (run) =>
    Buffer.from(run.toWellFormed()).toString('hex').toUpperCase().replace(/../g, '~$&'),
  );
}
