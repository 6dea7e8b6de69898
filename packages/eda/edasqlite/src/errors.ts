import { LogFullError, LogUnavailableError, NotALogError } from '@samovar/eda';
import { DomainError } from '@samovar/errors';

const busy = 5;
const locked = 6;
const readOnly = 8;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

function codeOf(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : 0;
}

/** Whether SQLite itself failed. */
export function isSqlite(error: unknown): boolean {
  return codeOf(error) !== 0;
}

/** Whether another process was at it, so that it is worth trying again. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === busy || codeOf(error) === locked;
}

/** What a caller gets to see of an error in reading or writing the log at `path`. */
export function asLogError(error: unknown, path: string): DomainError {
  if (DomainError.is(error)) return error;
  switch (codeOf(error)) {
    case full:
      return new LogFullError({ cause: error });
    case corrupt:
    case notADatabase:
      return new LogUnavailableError(`the event log ${path} is damaged: restore it from a backup`, { cause: error });
    case readOnly:
      return new LogUnavailableError(`the event log ${path} cannot be written: check its permissions`, {
        cause: error,
      });
    case busy:
    case locked:
      return new LogUnavailableError(`the event log ${path} is locked by another process`, { cause: error });
    default:
      return new LogUnavailableError(`the event log ${path} cannot be used: ${String(error)}`, { cause: error });
  }
}

/** What a caller gets to see of an error in opening the file. */
export function asOpenError(error: unknown, path: string): DomainError {
  switch (codeOf(error)) {
    case corrupt:
    case notADatabase:
      return damaged(path, { cause: error });
    case cannotOpen:
      return new LogUnavailableError(`the event log ${path} cannot be opened: check its folder and permissions`, {
        cause: error,
      });
    default:
      return asLogError(error, path);
  }
}

export function damaged(path: string, options: { readonly cause?: unknown } = {}): NotALogError {
  return new NotALogError(`${path} is truncated or damaged: restore it from a backup`, options);
}
