import { DomainError } from '@samovar/errors';

/** No more remote workers may join this server (activity.tooManyWorkers). */
export class TooManyWorkersError extends DomainError {
  constructor(most: number) {
    super('resource_exhausted', 'activity.tooManyWorkers', {
      publicMessage: `this server has ${most} workers, and takes in no others: join another one`,
      details: { most },
    });
  }
}

/** The server is shutting down: it holds no leases for remote workers any more (activity.stopping). */
export class StoppingError extends DomainError {
  constructor() {
    super('unavailable', 'activity.stopping', {
      publicMessage: 'the server is stopping: claim the activity again later',
    });
  }
}
