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

/** Who reaches the address could read or send anything (api.insecureListen). */
export class InsecureListenError extends DomainError {
  /** `option` is what is missing. */
  constructor(host: string, option: 'tls' | 'token') {
    const flags = option === 'tls' ? '--grpc-cert and --grpc-key' : '--grpc-token';
    super('failed_precondition', 'api.insecureListen', {
      publicMessage: `gRPC is not served on ${host}, beyond this machine, without ${option}: set ${flags}, or listen on 127.0.0.1`,
      details: { host, option },
    });
  }
}
