import { STATUS_CODES } from 'node:http';
import { DomainError, type Status } from '@samovar/errors';
import type { Logger } from '@samovar/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BadRequestError, BodyTooLargeError, HttpError, UnsupportedMediaTypeError } from './errors.ts';

/** RFC 9457's problem details; `id`, `details` and the type's last part are stable. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly id: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export const problemType = 'application/problem+json';

/** The one place that says which HTTP code an error's status stands for; as gRPC's gateways have it. */
const httpCodes: Readonly<Record<Status, number>> = {
  invalid_argument: 400,
  failed_precondition: 400,
  out_of_range: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  aborted: 409,
  already_exists: 409,
  resource_exhausted: 429,
  canceled: 499,
  data_loss: 500,
  internal: 500,
  unknown: 500,
  unimplemented: 501,
  unavailable: 503,
  deadline_exceeded: 504,
};

/** The problem that tells a caller of `error`: nothing but what is public. */
function toProblem(error: DomainError): Problem {
  const { id, publicMessage: detail, details } = error;
  const status = error instanceof HttpError ? error.code : httpCodes[error.status];
  const title = STATUS_CODES[status] ?? 'Client Closed Request';
  return { type: `urn:samovar:error:${id}`, title, status, detail, id, details };
}

/** As bytes: to a text fastify would add a charset, which JSON's types do not have. */
export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Answers with the problem that `thrown` is, and logs it where the server is to blame. */
export function sendProblem(logger: Logger, thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = asDomainError(thrown, request);
  const problem = toProblem(error);
  if (problem.status >= 500) {
    const { id: requestId, method, url } = request;
    logger.error(`request failed: ${error.message}`, { requestId, method, url, id: error.id, err: thrown });
  }
  if (error instanceof HttpError) reply.headers(error.headers);
  reply.code(problem.status).type(problemType).send(encodeJson(problem));
}

function asDomainError(thrown: unknown, request: FastifyRequest): DomainError {
  if (DomainError.is(thrown) || !(thrown instanceof Error)) return DomainError.from(thrown);
  const { code, statusCode = 500 } = thrown as Error & { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new BodyTooLargeError(request.routeOptions.bodyLimit ?? 0);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new UnsupportedMediaTypeError(request.headers['content-type']);
  const fromFastify = code?.startsWith('FST_') === true && statusCode < 500;
  return fromFastify ? new BadRequestError(statusCode, thrown.message) : DomainError.from(thrown);
}
