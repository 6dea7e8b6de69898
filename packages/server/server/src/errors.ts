import { DomainError } from '@samovar/errors';

/** A background service came to its end although nobody had asked it to (server.serviceEnded). */
export class ServiceEndedError extends DomainError {
  constructor(service: string) {
    super('internal', 'server.serviceEnded', {
      publicMessage: `the background service ${service} ended by itself, so the server stops`,
      details: { service },
    });
  }
}

/** Background services did not stop although their contexts were cancelled; they were given up (server.serviceStuck). */
export class ServiceStuckError extends DomainError {
  constructor(services: readonly string[]) {
    super('deadline_exceeded', 'server.serviceStuck', {
      publicMessage: `gave up waiting for ${services.join(', ')} to stop: does it watch its context?`,
      details: { services },
    });
  }
}
