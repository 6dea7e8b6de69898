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

/** No samovar answers at the address (samovar.serverUnreachable). */
export class ServerUnreachableError extends DomainError {
  constructor(url: string, options: { readonly cause?: unknown } = {}) {
    super('unavailable', 'samovar.serverUnreachable', {
      publicMessage: `no samovar answers at ${url}: start one with samovar serve, or say where it is with --server`,
      details: { url },
      ...options,
    });
  }
}

/** Nothing, or more than one thing, is what the name stands for (samovar.unclear). */
export class UnclearNameError extends DomainError {
  constructor(name: string, candidates: readonly string[]) {
    const why =
      candidates.length === 0 ? 'there is none of that name, path or id' : `it may be ${candidates.join(', or ')}`;
    super('invalid_argument', 'samovar.unclear', { publicMessage: `${name}: ${why}`, details: { name, candidates } });
  }
}

/** A workflow that was waited for has not succeeded (samovar.workflowFailed). */
export class WorkflowFailedError extends DomainError {
  constructor(workflowId: string, end: string) {
    super('internal', 'samovar.workflowFailed', {
      publicMessage: `workflow ${workflowId} has not succeeded: ${end}`,
      details: { workflowId },
    });
  }
}
