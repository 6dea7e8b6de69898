import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { LogUnavailableError } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { codes, isNotEnabled } from '@samovar/nats/jetstream';

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
