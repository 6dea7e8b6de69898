import type { Context } from '@samovar/context';

export { CannotListenError } from './errors.ts';

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
