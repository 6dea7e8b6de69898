import { type EventId, ForeignEventIdError, InvalidArgumentError } from '@samovar/eda';
import { decodeId, type IdParts } from './ids.ts';

export { checkText } from '@samovar/eda';

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
    throw new InvalidArgumentError(field, `is ${shown(value)}, not a whole number from ${least} up`);
  }
}

/** @throws {InvalidArgumentError} unless `value` is undefined or a boolean. */
export function checkFlag(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new InvalidArgumentError(field, `is ${typeof value}, not true or false`);
  }
}

/** @throws {InvalidArgumentError} unless `value` is a whole number from `least` to `most`. */
export function checkRange(field: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw new InvalidArgumentError(field, `is ${shown(value)}, not a whole number from ${least} to ${most}`);
  }
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
}
