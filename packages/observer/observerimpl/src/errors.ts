import { DomainError } from '@samovar/errors';

/** Whether this is one of these errors, also where it has come over the network. */
export function isError(error: unknown, ...ids: readonly string[]): error is DomainError {
  return DomainError.is(error) && ids.includes(error.id);
}
