import type { AddressInfo } from 'node:net';
import { CannotListenError } from '@samovar/api';
import { type Context, throwIfDone, whenDone } from '@samovar/context';

/** Where a face of the server listens, for those who ask for it or wait for it. */
export class Listening {
  readonly #begun = Promise.withResolvers<string>();
  #url: string | undefined;

  /** undefined while it does not listen. */
  get url(): string | undefined {
    return this.#url;
  }

  begin(url: string): void {
    this.#url = url;
    this.#begun.resolve(url);
  }

  end(): void {
    this.#url = undefined;
  }

  /** The url, as soon as it listens. @throws {CanceledError} @throws {DeadlineExceededError} if `ctx` is done before. */
  async wait(ctx: Context): Promise<string> {
    await Promise.race([this.#begun.promise, whenDone(ctx)]);
    throwIfDone(ctx);
    return this.#begun.promise;
  }
}

/** Where a program on this machine finds the server. */
export function urlOf(scheme: string, { address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

/** What to tell an operator, who chooses the host and the port by flags that begin so. */
export function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  flags: '--' | '--grpc-',
  cause: unknown,
): CannotListenError {
  return new CannotListenError(host, port, whyNot(cause, flags), { cause });
}

function whyNot(error: unknown, flags: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `it is in use; stop what listens there, or choose another with ${flags}port (0: any free one)`;
    case 'EACCES':
      return `the system does not allow it; choose one from 1024 up with ${flags}port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `that is no address of this machine; choose another with ${flags}host`;
    default:
      return message;
  }
}
