import { DomainError } from '@samovar/errors';

/** One value of a message that its schema does not allow. */
export interface MessageFault {
  /** Where: `['author', 'email']`; empty for the message itself. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A struct is not what its message's schema says (message.invalid). `details.faults` lists every failing path. */
export class InvalidMessageError extends DomainError {
  readonly faults: readonly MessageFault[];

  constructor(name: string, faults: readonly MessageFault[]) {
    const text = faults.map(({ path, message }) => `${path.length > 0 ? path.join('.') : '(message)'}: ${message}`);
    super('invalid_argument', 'message.invalid', {
      publicMessage: `${name} is invalid: ${text.join('; ')}`,
      details: { message: name, faults },
    });
    this.faults = faults;
  }
}
