/** The outcome of a call that failed, in gRPC's vocabulary (google.rpc.Code, lower case). */
export type Status =
  | 'invalid_argument'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'aborted'
  | 'permission_denied'
  | 'unauthenticated'
  | 'resource_exhausted'
  | 'out_of_range'
  | 'unimplemented'
  | 'unavailable'
  | 'deadline_exceeded'
  | 'canceled'
  | 'data_loss'
  | 'internal'
  | 'unknown';

export interface DomainErrorOptions {
  /** What the caller and the machine in between may know and show. */
  readonly publicMessage: string;
  /** What an operator reads in the log; default: the public message. Never sent. */
  readonly message?: string;
  /** Facts for programs, plain JSON: sent to callers with the public message. Default: none. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What led to this error. Logged, never sent. */
  readonly cause?: unknown;
}

const brand: unique symbol = Symbol.for('@samovar/errors.DomainError') as never;
const idPattern = /^[a-z][a-z0-9]*\.[a-z][a-zA-Z0-9]*$/;

/**
 * An error a caller may rely on. A service declares its own as subclasses in its root package, such as
 * `class LetterNotFoundError extends DomainError`.
 */
export class DomainError extends Error {
  static {
    // On the prototype, so that subclasses carry it and other copies of this module recognise it.
    Object.defineProperty(DomainError.prototype, brand, { value: true });
  }

  readonly status: Status;
  /** Stable for ever: `<service>.<camelCase>`, such as `alphabetical.letterNotFound`. */
  readonly id: string;
  readonly publicMessage: string;
  readonly details: Readonly<Record<string, unknown>>;

  /** @throws {TypeError} if the id is not `<service>.<camelCase>`. */
  constructor(status: Status, id: string, options: DomainErrorOptions) {
    super(options.message ?? options.publicMessage, 'cause' in options ? { cause: options.cause } : undefined);
    if (!idPattern.test(id)) throw new TypeError(`error id '${id}' is not <service>.<camelCase>`);
    this.name = new.target.name;
    this.status = status;
    this.id = id;
    this.publicMessage = options.publicMessage;
    this.details = options.details ?? {};
  }

  /** Whether `e` is a DomainError, also one that another copy of this module made. */
  static is(e: unknown): e is DomainError {
    return typeof e === 'object' && e !== null && brand in e;
  }

  /**
   * `e` itself if it is a DomainError; else an `internal` one (id `errors.internal`) that hides it from callers and
   * keeps it as its cause.
   */
  static from(e: unknown): DomainError {
    if (DomainError.is(e)) return e;
    return new DomainError('internal', 'errors.internal', {
      publicMessage: 'internal error',
      message: e instanceof Error ? e.message : String(e),
      cause: e,
    });
  }
}
