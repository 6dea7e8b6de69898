import { create, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfoSchema, ErrorStatusSchema } from '@samovar/api/entities/v1/errors';
import type { DomainError, Status } from '@samovar/errors';

/** The one place that says which code an error's status stands for. */
const codes: Readonly<Record<Status, status>> = {
  canceled: status.CANCELLED,
  unknown: status.UNKNOWN,
  invalid_argument: status.INVALID_ARGUMENT,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  permission_denied: status.PERMISSION_DENIED,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  failed_precondition: status.FAILED_PRECONDITION,
  aborted: status.ABORTED,
  out_of_range: status.OUT_OF_RANGE,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  data_loss: status.DATA_LOSS,
  unauthenticated: status.UNAUTHENTICATED,
};

// What comes behind a response is of a few kilobytes: clients refuse, or cut the connection for, more.
const longestMessage = 1_000;
const longestDetails = 4_096;

/** How a call ends that has failed with `error`: with nothing but what is public. */
export function toStatus(error: DomainError): Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  const code = codes[error.status];
  const message = error.publicMessage.slice(0, longestMessage).toWellFormed();
  const info = create(ErrorInfoSchema, { reason: error.id, domain: 'samovar', metadata: detailsOf(error) });
  const detail = create(AnySchema, {
    typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
    value: toBinary(ErrorInfoSchema, info),
  });
  const metadata = new Metadata();
  const bytes = toBinary(ErrorStatusSchema, create(ErrorStatusSchema, { code, message, details: [detail] }));
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code, details: message, metadata };
}

function detailsOf({ details }: DomainError): Record<string, string> {
  try {
    const json = JSON.stringify(details);
    return Buffer.byteLength(json) > longestDetails ? {} : { details: json };
  } catch {
    // They are no plain JSON, as they should be: the rest of the error is worth more.
    return {};
  }
}
