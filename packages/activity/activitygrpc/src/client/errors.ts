import { fromBinary } from '@bufbuild/protobuf';
import type { ServiceError } from '@grpc/grpc-js';
import { StaleLeaseError } from '@samovar/activity';
import { type ErrorInfo, ErrorInfoSchema, ErrorStatusSchema } from '@samovar/api/entities/v1/errors';
import { CanceledError, DeadlineExceededError } from '@samovar/context';
import { DomainError, type Status } from '@samovar/errors';

/** A call that cannot be made from here: only in the server itself (activity.notRemote). */
export class NotRemoteError extends DomainError {
  constructor(what: string) {
    super('unimplemented', 'activity.notRemote', {
      publicMessage: `a worker cannot ${what}: it can only dispatch commands and queries to its server`,
    });
  }
}

/** The address of a server, or the token for it, is none to connect with (activity.invalidServer). */
export class InvalidServerError extends DomainError {
  constructor(why: string) {
    super('invalid_argument', 'activity.invalidServer', { publicMessage: why });
  }
}

/** By gRPC's codes, from 1 on. */
const statuses: readonly Status[] = [
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
];

/** The error that a call has failed with, as it was in the server; one of the transport itself has an id of `grpc`. */
export function fromStatus(failure: ServiceError): DomainError {
  const status = statuses[failure.code - 1] ?? 'unknown';
  const info = infoOf(failure);
  if (info === undefined) return ownError(status, failure);
  const details = detailsOf(info);
  switch (info.reason) {
    case 'activity.staleLease':
      return new StaleLeaseError(String(details.name), String(details.stream));
    case 'context.canceled':
      return new CanceledError({ cause: failure });
    case 'context.deadlineExceeded':
      return new DeadlineExceededError();
    default:
      return new DomainError(status, info.reason, { publicMessage: failure.details, details, cause: failure });
  }
}

function ownError(status: Status, cause: ServiceError): DomainError {
  // Not by this side: the connection was cut.
  if (status === 'canceled') return ownError('unavailable', cause);
  if (status === 'deadline_exceeded') return new DeadlineExceededError();
  const name = status.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return new DomainError(status, `grpc.${name}`, { publicMessage: cause.details, cause });
}

function infoOf({ metadata }: ServiceError): ErrorInfo | undefined {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const { details } = fromBinary(ErrorStatusSchema, bytes);
    const info = details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
    const found = info && fromBinary(ErrorInfoSchema, info.value);
    return found?.domain === 'samovar' ? found : undefined;
  } catch {
    // Whatever stands between may have put something else there.
    return undefined;
  }
}

function detailsOf({ metadata }: ErrorInfo): Record<string, unknown> {
  return JSON.parse(metadata.details ?? '{}') as Record<string, unknown>;
}
