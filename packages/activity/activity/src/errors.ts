import { DomainError } from '@samovar/errors';

/** Another worker runs the activity by now: nothing was stored, and this one has to stop (activity.staleLease). */
export class StaleLeaseError extends DomainError {
  constructor(name: string, stream: string) {
    super('aborted', 'activity.staleLease', {
      publicMessage: `activity ${name} of ${stream} is run by another worker now`,
      details: { name, stream },
    });
  }
}

/** An activity of this name is running for the entity in this engine already (activity.alreadyStarted). */
export class ActivityAlreadyStartedError extends DomainError {
  constructor(name: string, stream: string) {
    super('already_exists', 'activity.alreadyStarted', {
      publicMessage: `activity ${name} of ${stream} was started already: stop that first, or choose another name`,
      details: { name, stream },
    });
  }
}

/** The engine is shutting down, or has (activity.engineStopped). */
export class EngineStoppedError extends DomainError {
  constructor() {
    super('failed_precondition', 'activity.engineStopped', {
      publicMessage: 'the engine of activities has stopped: nothing is started any more',
    });
  }
}

/** An argument or option is not as its contract says (activity.invalidArgument). */
export class InvalidActivityError extends DomainError {
  constructor(field: string, why: string) {
    super('invalid_argument', 'activity.invalidArgument', {
      publicMessage: `${field} ${why}`,
      details: { field },
    });
  }
}
