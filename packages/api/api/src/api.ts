import type { Context } from '@samovar/context';

export { CannotListenError, InsecureListenError } from './errors.ts';
export { type GrpcHandlers, GrpcService, grpcService } from './grpc.ts';

/** Where the HTTP/JSON face listens. */
export interface HttpOptions {
  /** A host name or address. Default: 127.0.0.1. Beyond loopback only if the operator asked for it. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Names, beside loopback's own, that a request's Host header may have. */
  readonly allowedHosts: readonly string[];
  /** The largest request body, in bytes. */
  readonly maxBodyBytes: number;
}

/** The HTTP/JSON face of a running server. */
export abstract class HttpApi {
  /** Such as `http://127.0.0.1:7420`; undefined while it does not listen. */
  abstract readonly url: string | undefined;

  /** Its url, as soon as it listens. @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done before. */
  abstract listening(ctx: Context): Promise<string>;
}

/** Where the gRPC face listens, and for whom. */
export interface GrpcOptions {
  /** A host name or address. Beyond loopback it needs `tls` and `token`. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What callers send as `authorization: Bearer <token>`. Without it, whoever reaches the port may call. */
  readonly token?: string;
  /** Without it, calls are not encrypted. */
  readonly tls?: {
    /** A certificate chain, as PEM. */
    readonly cert: string;
    /** Its private key, as PEM. */
    readonly key: string;
  };
  /** The largest message that is taken in, in bytes. */
  readonly maxMessageBytes: number;
}

/** The gRPC face of a running server. */
export abstract class GrpcApi {
  /** Such as `grpc://127.0.0.1:7421`, or `grpcs:` with TLS; undefined while it does not listen. */
  abstract readonly url: string | undefined;

  /** Its url, as soon as it listens. @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done before. */
  abstract listening(ctx: Context): Promise<string>;
}
