import { DomainError } from '@samovar/errors';

/** A stream name is not dot-separated tokens of `[A-Za-z0-9_~-]+`, or is too long (eda.invalidStream). */
export class InvalidStreamError extends DomainError {
  constructor(name: unknown, why: string) {
    super('invalid_argument', 'eda.invalidStream', { publicMessage: `${shown(name)} is no stream name: ${why}` });
  }
}

/** A selector is neither a stream name nor a pattern such as `repos.*` or `repos.>` (eda.invalidSelector). */
export class InvalidSelectorError extends DomainError {
  constructor(selector: unknown, why: string) {
    super('invalid_argument', 'eda.invalidSelector', { publicMessage: `${shown(selector)} is no selector: ${why}` });
  }
}

/** An event to publish, or an option, is not as the contract says (eda.invalidArgument); `details.field` names it. */
export class InvalidArgumentError extends DomainError {
  constructor(field: string, why: string) {
    super('invalid_argument', 'eda.invalidArgument', { publicMessage: `${field} ${why}`, details: { field } });
  }
}

/** A text is no event id (eda.invalidEventId). */
export class InvalidEventIdError extends DomainError {
  constructor(text: unknown) {
    super('invalid_argument', 'eda.invalidEventId', {
      publicMessage: `${shown(text)} is no event id: those have 26 characters of 0-9 and A-Z without I, L, O and U`,
    });
  }
}

/** An event id was given out by another log than the one asked (eda.foreignId). */
export class ForeignEventIdError extends DomainError {
  constructor(id: string) {
    super('invalid_argument', 'eda.foreignId', {
      publicMessage: `event ${id} belongs to another log: was the data directory replaced?`,
      details: { id },
    });
  }
}

/** The stream's head is not the expected one; nothing was written (eda.headConflict). Load again and decide anew. */
export class HeadConflictError extends DomainError {
  constructor(stream: string, stored: string | null, expected: string | null) {
    super('aborted', 'eda.headConflict', {
      publicMessage: `${stream} is at ${stored ?? 'its beginning'}, not at ${expected ?? 'its beginning'}`,
      details: { stream, stored, expected },
    });
  }
}

/** What was published with this key before is erased (eda.duplicateErased); nothing was written. Use another key. */
export class DuplicateErasedError extends DomainError {
  constructor(stream: string, key: string) {
    super('failed_precondition', 'eda.duplicateErased', {
      publicMessage: `what was published to ${stream} with the key ${JSON.stringify(key)} has been erased since`,
      details: { stream, key },
    });
  }
}

/** The payload is of another kind than asked for, or cannot be encoded or decoded (eda.dataEncoding). */
export class DataEncodingError extends DomainError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super('invalid_argument', 'eda.dataEncoding', { publicMessage: why, ...options });
  }
}

/** The connection or subscription was closed (eda.closed). */
export class ClosedError extends DomainError {
  constructor(what: string) {
    super('failed_precondition', 'eda.closed', { publicMessage: `${what} is closed` });
  }
}

/** The log has no room for more, the disk or its limit being full; nothing was written, reading goes on (eda.logFull). */
export class LogFullError extends DomainError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('resource_exhausted', 'eda.logFull', {
      publicMessage: 'the event log has no room left: free disk space or raise its limit, then publish again',
      ...options,
    });
  }
}

/** The log cannot be opened, read or written (eda.logUnavailable). */
export class LogUnavailableError extends DomainError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super('unavailable', 'eda.logUnavailable', { publicMessage: why, ...options });
  }
}

/** There is no event log at the address, and none was to be made (eda.logNotFound). */
export class LogNotFoundError extends DomainError {
  /** `where` does not hold credentials. */
  constructor(where: string) {
    super('not_found', 'eda.logNotFound', {
      publicMessage: `there is no event log ${where}: check the address, or first connect to it with create: true`,
      details: { where },
    });
  }
}

/** The file is no event log, one of a newer version, or damaged; it was left as it is (eda.notALog). */
export class NotALogError extends DomainError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super('failed_precondition', 'eda.notALog', { publicMessage: why, ...options });
  }
}

/** No consumer of the server has this name (eda.consumerNotFound). */
export class ConsumerNotFoundError extends DomainError {
  constructor(name: string) {
    super('not_found', 'eda.consumerNotFound', {
      publicMessage: `there is no consumer ${name}: is it bound in a module.ts that modules.ts lists?`,
      details: { name },
    });
  }
}

/** Two consumers have one name (eda.duplicateConsumer). */
export class DuplicateConsumerError extends DomainError {
  constructor(name: string) {
    super('failed_precondition', 'eda.duplicateConsumer', {
      publicMessage: `two consumers are called ${name}: each needs a name of its own, and each module is listed once`,
      details: { name },
    });
  }
}

/** A consumer's subscription cannot be opened, for the reason in `cause`, whose status it has (eda.consumerRefused). */
export class ConsumerRefusedError extends DomainError {
  constructor(name: string, cause: unknown) {
    const { status, publicMessage } = DomainError.from(cause);
    super(status, 'eda.consumerRefused', {
      publicMessage: `consumer ${name} cannot be started: ${publicMessage}`,
      details: { name },
      cause,
    });
  }
}

/** An event that was waited for is parked (eda.parked): its handler has failed too often. Replay or skip it. */
export class ParkedError extends DomainError {
  constructor(subscription: string, id: string) {
    super('failed_precondition', 'eda.parked', {
      publicMessage: `event ${id} is parked in subscription ${subscription}: replay or skip it`,
      details: { subscription, id },
    });
  }
}

/** The subscription has not parked this event (eda.notParked). */
export class NotParkedError extends DomainError {
  constructor(subscription: string, id: string) {
    super('not_found', 'eda.notParked', {
      publicMessage: `event ${id} is not parked in subscription ${subscription}`,
      details: { subscription, id },
    });
  }
}

/** A replay would deliver more than was allowed (eda.replayTooLarge); nothing is replayed. */
export class ReplayTooLargeError extends DomainError {
  constructor(events: number, limit: number) {
    super('failed_precondition', 'eda.replayTooLarge', {
      publicMessage: `this would deliver ${events} events again: allow that with a limit of more than ${limit}`,
      details: { events, limit },
    });
  }
}

/** Whatever came in the place of a text, so that it fits into a message. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 300)) : value === null ? 'null' : typeof value;
}
