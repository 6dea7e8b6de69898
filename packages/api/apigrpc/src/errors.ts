import { DomainError } from '@samovar/errors';

/** The caller has not shown the server's token (api.unauthenticated). */
export class UnauthenticatedError extends DomainError {
  constructor() {
    super('unauthenticated', 'api.unauthenticated', {
      publicMessage: 'send the token of this server, as authorization: Bearer <token>',
    });
  }
}

/** The server is shutting down (api.stopping). */
export class StoppingError extends DomainError {
  constructor() {
    super('unavailable', 'api.stopping', { publicMessage: 'the server is stopping' });
  }
}

/** A request is not the message that its method takes (api.malformedMessage). */
export class MalformedMessageError extends DomainError {
  constructor(type: string, why: string) {
    super('invalid_argument', 'api.malformedMessage', { publicMessage: `the request is no ${type}: ${why}` });
  }
}

/** The arguments of a command or query are not JSON (api.malformedJson). */
export class MalformedJsonError extends DomainError {
  constructor(why: string) {
    super('invalid_argument', 'api.malformedJson', { publicMessage: `the arguments are not JSON: ${why}` });
  }
}

/** No command or query has this name (api.unknownMessage). */
export class UnknownMessageError extends DomainError {
  constructor(message: string) {
    super('not_found', 'api.unknownMessage', {
      publicMessage: `no command or query ${message}: the catalogue lists those there are`,
      details: { message },
    });
  }
}
