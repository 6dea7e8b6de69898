import { DomainError } from '@samovar/errors';

/** The call's context was cancelled (context.canceled). The reason given, if any, is the cause. */
export class CanceledError extends DomainError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('canceled', 'context.canceled', { publicMessage: 'the call was canceled', ...options });
  }
}

/** The deadline of the call's context has passed (context.deadlineExceeded). */
export class DeadlineExceededError extends DomainError {
  constructor() {
    super('deadline_exceeded', 'context.deadlineExceeded', { publicMessage: 'the deadline has passed' });
  }
}
