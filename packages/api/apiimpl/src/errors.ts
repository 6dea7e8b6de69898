import { DomainError, type DomainErrorOptions, type Status } from '@samovar/errors';

/** An error that only HTTP knows: it has a code of its own, beside the one its status stands for. */
export class HttpError extends DomainError {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: number,
    status: Status,
    id: string,
    options: DomainErrorOptions & { readonly headers?: Readonly<Record<string, string>> },
  ) {
    super(status, id, options);
    this.code = code;
    this.headers = options.headers ?? {};
  }
}

/** Nothing is served at the path (api.notFound). */
export class PathNotFoundError extends HttpError {
  constructor(path: string) {
    super(404, 'not_found', 'api.notFound', {
      publicMessage: `nothing is served at ${path}: see /openapi.json for what is`,
    });
  }
}

/** No command or query has this name (api.unknownMessage). */
export class UnknownMessageError extends HttpError {
  constructor(message: string, nearest: string | undefined) {
    super(404, 'not_found', 'api.unknownMessage', {
      publicMessage: `no command or query ${message}: ${
        nearest === undefined ? '/v1/catalogue lists those there are' : `did you mean ${nearest}?`
      }`,
      details: nearest === undefined ? { message } : { message, nearest },
    });
  }
}

/** The path takes other methods (api.methodNotAllowed); they are in the Allow header. */
export class MethodNotAllowedError extends HttpError {
  constructor(method: string, what: string, allowed: readonly string[]) {
    super(405, 'unimplemented', 'api.methodNotAllowed', {
      publicMessage: `${what} takes ${allowed.join(' and ')}, not ${method}`,
      details: { allowed },
      headers: { allow: allowed.join(', ') },
    });
  }
}

/** The request's body is not JSON (api.malformedJson). */
export class MalformedJsonError extends HttpError {
  constructor(why: string) {
    super(400, 'invalid_argument', 'api.malformedJson', { publicMessage: `the body is not JSON: ${why}` });
  }
}

/** The request's body has more bytes than the server takes (api.bodyTooLarge). */
export class BodyTooLargeError extends HttpError {
  constructor(maxBytes: number) {
    super(413, 'invalid_argument', 'api.bodyTooLarge', {
      publicMessage: `the body has more than ${maxBytes} bytes`,
      details: { maxBytes },
    });
  }
}

/** The request's body is not declared to be JSON (api.unsupportedMediaType). */
export class UnsupportedMediaTypeError extends HttpError {
  constructor(type: string | undefined) {
    super(415, 'invalid_argument', 'api.unsupportedMediaType', {
      publicMessage: `send the struct as JSON, with content-type: application/json, not ${type ?? 'without a type'}`,
      headers: { accept: 'application/json' },
    });
  }
}

/** The Host header names another machine, as when a web page had its name point here (api.hostNotAllowed). */
export class HostNotAllowedError extends HttpError {
  constructor(host: string | undefined) {
    super(421, 'permission_denied', 'api.hostNotAllowed', {
      publicMessage: `this server does not answer for ${host ?? 'requests without a host'}: use localhost, or start it with --allowed-host`,
    });
  }
}

/** A web page of another origin sent the request (api.crossSite). */
export class CrossSiteError extends HttpError {
  constructor(from: string) {
    super(403, 'permission_denied', 'api.crossSite', {
      publicMessage: `requests from web pages of another origin are refused (${from})`,
    });
  }
}

/** The server is shutting down (api.stopping). */
export class StoppingError extends HttpError {
  constructor() {
    super(503, 'unavailable', 'api.stopping', {
      publicMessage: 'the server is stopping',
      headers: { connection: 'close' },
    });
  }
}

/** The request is not one that HTTP can make sense of (api.badRequest). */
export class BadRequestError extends HttpError {
  constructor(code: number, why: string) {
    super(code, 'invalid_argument', 'api.badRequest', { publicMessage: why });
  }
}
