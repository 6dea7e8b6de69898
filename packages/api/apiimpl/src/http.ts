import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import type { HttpApi, HttpOptions } from '@samovar/api';
import { cannotListen, Listening, urlOf } from '@samovar/apicore';
import { type Context, whenDone } from '@samovar/context';
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
  readonly #listening = new Listening();

  constructor(options: HttpOptions, backend: Backend) {
    this.#options = options;
    this.#backend = { ...backend, logger: backend.logger.child({ service: this.name }) };
  }

  get url(): string | undefined {
    return this.#listening.url;
  }

  listening(ctx: Context): Promise<string> {
    return this.#listening.wait(ctx);
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
      this.#listening.begin(await this.#listen(app));
      await whenDone(ctx);
    } finally {
      this.#listening.end();
      const closed = app.close();
      connections.closeIdle();
      await Promise.race([closed, whenDone(work)]);
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
    } catch (error) {
      throw cannotListen(this.#options, '--', error);
    }
    return urlOf('http', app.server.address() as AddressInfo);
  }
}
