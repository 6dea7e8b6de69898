import { DomainError } from '@samovar/errors';

/** A flag, a variable or the configuration file says what cannot be (samovar.invalidConfig). */
export class InvalidConfigError extends DomainError {
  constructor(faults: readonly string[], options: { readonly cause?: unknown } = {}) {
    super('invalid_argument', 'samovar.invalidConfig', {
      publicMessage: faults.join('\n'),
      details: { faults },
      ...options,
    });
  }
}

/** The data directory cannot be made, or written (samovar.dataDirUnusable). */
export class DataDirUnusableError extends DomainError {
  constructor(path: string, why: string, options: { readonly cause?: unknown } = {}) {
    super('failed_precondition', 'samovar.dataDirUnusable', {
      publicMessage: `cannot keep data in ${path}: ${why}; choose another directory with --data`,
      details: { path },
      ...options,
    });
  }
}

/** Another samovar is at work in the data directory (samovar.dataDirHeld). */
export class DataDirHeldError extends DomainError {
  constructor(path: string, holder: string) {
    super('unavailable', 'samovar.dataDirHeld', {
      publicMessage: `${path} is in use by another samovar (${holder}): stop it, or choose another directory with --data`,
      details: { path },
    });
  }
}

/** The doctor has found errors, and told them (samovar.unhealthy). */
export class UnhealthyError extends DomainError {
  constructor(errors: number) {
    super('internal', 'samovar.unhealthy', {
      publicMessage: `not all is well: ${errors} error${errors === 1 ? '' : 's'}, see above`,
      details: { errors },
    });
  }
}
