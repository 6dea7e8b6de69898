import { DomainError } from '@samovar/errors';

/** The address to listen on cannot be had (api.cannotListen). */
export class CannotListenError extends DomainError {
  constructor(host: string, port: number, why: string, options: { readonly cause?: unknown } = {}) {
    super('unavailable', 'api.cannotListen', {
      publicMessage: `cannot listen on port ${port} of ${host}: ${why}`,
      details: { host, port },
      ...options,
    });
  }
}
