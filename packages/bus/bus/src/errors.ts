import { DomainError } from '@samovar/errors';

/** Nobody handles the command or query (bus.handlerNotFound). */
export class HandlerNotFoundError extends DomainError {
  constructor(message: string) {
    const domain = message.slice(0, message.indexOf('.'));
    super('unimplemented', 'bus.handlerNotFound', {
      publicMessage: `no handler for ${message}`,
      message: `no handler for ${message}: is ${domain}Module in modules.ts?`,
      details: { message },
    });
  }
}

/** A command or query has a handler already, or another message has its name (bus.duplicateHandler). */
export class DuplicateHandlerError extends DomainError {
  /** `firstAt` and `secondAt` are the places in the code that added the two, as `file:line:column`. */
  constructor(message: string, firstAt: string, secondAt: string) {
    super('already_exists', 'bus.duplicateHandler', {
      publicMessage: `${message} is handled already`,
      message: `${message} is handled already: added at ${firstAt}, and again at ${secondAt}; remove one of them`,
      details: { message },
    });
  }
}

/**
 * A command was dispatched for an event that is replayed, by a handler that did not allow that
 * (bus.commandWhileReplaying). What it commands may have been done when the event came first.
 */
export class CommandWhileReplayingError extends DomainError {
  constructor(message: string) {
    super('failed_precondition', 'bus.commandWhileReplaying', {
      publicMessage: `${message} is refused while an event is replayed`,
      message:
        `${message} is refused while an event is replayed, as it may have been dispatched when the event came first: ` +
        'if doing it again is right, dispatch it under withValue(ctx, commandsWhileReplaying, true)',
      details: { message },
    });
  }
}
