import { type EventId, ForeignEventIdError, InvalidArgumentError } from '@samovar/eda';
import { decodeId, type IdParts } from './ids.ts';

const longest = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** @throws {InvalidArgumentError} unless `text` has `least` to 255 characters, none of them for control. */
export function checkText(field: string, text: unknown, least: 0 | 1): void {
  if (typeof text !== 'string')
    throw new InvalidArgumentError(field, `is ${text === null ? 'null' : typeof text}, not a text`);
  if (text.length < least) throw new InvalidArgumentError(field, 'is empty');
  if (text.length > longest) throw new InvalidArgumentError(field, `has more than ${longest} characters`);
  if (control.test(text)) throw new InvalidArgumentError(field, 'has control characters');
  if (!text.isWellFormed()) throw new InvalidArgumentError(field, 'has half of a character (a lone surrogate)');
}

/** What `id` says. @throws {InvalidArgumentError} if it is no id. @throws {ForeignEventIdError} if it is of another log. */
export function idOf(log: number, field: string, id: EventId): IdParts {
  let parts: IdParts;
  try {
    parts = decodeId(id);
  } catch (error) {
    throw new InvalidArgumentError(field, (error as Error).message);
  }
  if (parts.log !== log) throw new ForeignEventIdError(id);
  return parts;
}

/** @throws {InvalidArgumentError} unless `value` is a whole number from `least` up. */
export function checkWhole(field: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new InvalidArgumentError(field, `is ${String(value)}, not a whole number from ${least} up`);
  }
}

/** @throws {InvalidArgumentError} unless `value` is undefined or a boolean. */
export function checkFlag(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new InvalidArgumentError(field, `is ${typeof value}, not true or false`);
  }
}

/** Remembers which of the texts that come again and again have passed a check. */
export class Known {
  readonly #check: (text: string) => unknown;
  readonly #passed = new Set<string>();

  constructor(check: (text: string) => unknown) {
    this.#check = check;
  }

  check(text: string): void {
    if (this.#passed.has(text)) return;
    this.#check(text);
    if (this.#passed.size >= 10_000) this.#passed.clear();
    this.#passed.add(text);
  }
}
