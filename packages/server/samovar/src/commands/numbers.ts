import { InvalidArgumentError } from 'commander';

/** A number as an option's value. @throws {InvalidArgumentError} */
export function whole(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('A whole number from 0 up is needed.');
  }
  return number;
}
