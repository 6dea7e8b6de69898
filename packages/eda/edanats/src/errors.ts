import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { LogUnavailableError } from '@samovar/eda';
import { DomainError } from '@samovar/errors';

/** The codes of JetStream's answers that this package knows, as the server's errors.json numbers them. */
export const codes = {
  consumerNotFound: 10_014,
  messageNotFound: 10_037,
  streamNotFound: 10_059,
  streamNameInUse: 10_058,
  /** No such message, or no message there to be deleted. */
  alreadyDeleted: new Set([10_037, 10_043, 10_057]),
  storeFailed: 10_077,
  /** What has the same id is on its way, and not stored yet. */
  repeatedTooSoon: 10_158,
  noResources: new Set([10_023, 10_028, 10_047]),
  /** The last message, of a subject or of all, is another one than expected, or may soon be. */
  wrongLastSequence: new Set([10_071, 10_164]),
};

/** What JetStream's answer says of what failed. */
export interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

const passing = [errors.TimeoutError, errors.NoRespondersError, errors.RequestError, errors.ConnectionError];

/** Whether what failed may succeed when the server, or another one, is back. */
export function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status === 503;
  return isNotEnabled(error) || passing.some((kind) => error instanceof kind);
}

/** Whether the server has no JetStream, or nobody leads what was asked for. */
export function isNotEnabled(error: unknown): boolean {
  return error instanceof JetStreamError && error.name === 'JetStreamNotEnabled';
}

/** The code of JetStream's answer, if that is why something failed. */
export function codeOf(error: unknown): number | undefined {
  if (error instanceof JetStreamApiError) return error.code;
  return error instanceof Error && error.cause instanceof JetStreamApiError ? error.cause.code : undefined;
}

/** Whether JetStream refuses a message as it has no room for it. */
export function isFull({ err_code, description }: ApiError): boolean {
  // The server has one code for all that can go wrong in storing.
  return codes.noResources.has(err_code) || (err_code === codes.storeFailed && /maximum|space/.test(description));
}

/** The error to throw for what failed on the server or on the way to it. */
export function asLogError(error: unknown): Error {
  if (DomainError.is(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new LogUnavailableError(`the event log on NATS cannot be used: ${why}`, { cause: error });
}
