import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { CannotListenError, type HttpApi, type HttpOptions } from '@samovar/api';
import { type Context, throwIfDone } from '@samovar/context';
import { type BackgroundService, workContext } from '@samovar/server';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { Connections } from './connections.ts';
import type { Backend } from './routes.ts';

/** Serves HTTP from start to shutdown. */
export class HttpService implements HttpApi, BackgroundService {
  readonly name = 'http';
  readonly #options: HttpOptions;
  readonly #backend: Backend;
  readonly #listening = Promise.withResolvers<string>();
  #url: string | undefined;

  constructor(options: HttpOptions, backend: Backend) {
    this.#options = options;
    this.#backend = { ...backend, logger: backend.logger.child({ service: this.name }) };
  }

  get url(): string | undefined {
    return this.#url;
  }

  async listening(ctx: Context): Promise<string> {
    await Promise.race([this.#listening.promise, aborted(ctx.signal)]);
    throwIfDone(ctx);
    return this.#listening.promise;
  }

  isDisabled(): boolean {
    return false;
  }

  /** Requests under way may finish under the work context; when that ends, their connections are cut. */
  async run(ctx: Context): Promise<void> {
    const work = ctx.value(workContext);
    const app = buildApp(this.#options, this.#backend, { intake: ctx.signal, work });
    const connections = new Connections(app.server);
    try {
      this.#url = await this.#listen(app);
      this.#listening.resolve(this.#url);
      await aborted(ctx.signal);
    } finally {
      this.#url = undefined;
      const closed = app.close();
      connections.closeIdle();
      await Promise.race([closed, aborted(work.signal)]);
      app.server.closeAllConnections();
      await closed;
    }
  }

  /** @throws {CannotListenError} */
  async #listen(app: FastifyInstance): Promise<string> {
    const { host, port } = this.#options;
    try {
      // One address: a name with several would be served at the first one only, or twice.
      const { address } = await lookup(host);
      await app.listen({ host: address, port });
    } catch (cause) {
      throw new CannotListenError(host, port, whyNot(cause), { cause });
    }
    return urlOf(app.server.address() as AddressInfo);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return 'it is in use; stop what listens there, or choose another with --port (0: any free one)';
    case 'EACCES':
      return 'the system does not allow it; choose one from 1024 up with --port';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'that is no address of this machine; choose another with --host';
    default:
      return message;
  }
}

/** Where a program on this machine finds the server. */
function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
