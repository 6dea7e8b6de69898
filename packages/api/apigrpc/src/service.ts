import { setTimeout } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type GrpcApi, type GrpcOptions, type GrpcService, InsecureListenError } from '@samovar/api';
import { cannotListen, Listening, urlOf } from '@samovar/apicore';
import type { Bus } from '@samovar/bus';
import { type Context, whenDone } from '@samovar/context';
import { type BackgroundService, type Logger, type Readiness, workContext } from '@samovar/server';
import { addressOf } from './address.ts';
import { ServiceAdapter } from './calls.ts';
import { Connections } from './connections.ts';
import { intakeGuard, tokenGuard } from './guard.ts';
import { Health } from './health.ts';
import { Lifetime } from './lifetime.ts';
import { messagesService } from './messages.ts';
import { reflectionOf } from './reflection.ts';

/** What is served. */
export interface Backend {
  readonly bus: Bus;
  readonly services: readonly GrpcService[];
  readonly readiness: Readiness;
  readonly logger: Logger;
}

/** Connections that say nothing for so long are asked whether they are still there, and cut if they do not answer. */
const keepAlive = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000 };
/** Logs take events of up to half of that. */
const largestAnswer = 128 * 1024 * 1024;
/** Calls at a time on one connection. */
const mostCalls = 4_096;
/** How long clients have, once all are answered, to take in the answers and close their connections. */
const lingerMs = 1_000;

/** Serves gRPC from start to shutdown. */
export class GrpcBackgroundService implements GrpcApi, BackgroundService {
  readonly name = 'grpc';
  readonly #options: GrpcOptions;
  readonly #backend: Backend;
  readonly #listening = new Listening();

  constructor(options: GrpcOptions, backend: Backend) {
    this.#options = options;
    const logger = backend.logger.child({ service: this.name });
    this.#backend = { ...backend, logger, services: [messagesService(backend.bus), ...backend.services] };
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

  /** Calls under way may finish under the work context, those that stream are told to; when that ends, all are cut. */
  async run(ctx: Context): Promise<void> {
    const work = ctx.value(workContext);
    const lifetime = new Lifetime(ctx.signal, work);
    const server = this.#build(lifetime);
    const names = this.#backend.services.map(({ schema }) => schema.typeName);
    using health = new Health(names, this.#backend.readiness);
    health.addTo(server);
    const connections = await this.#listen(server);
    await whenDone(ctx);
    this.#listening.end();
    connections.stop();
    // It asks clients to close their connections once they have their answers.
    server.tryShutdown(() => {});
    const answered = lifetime.idle().then(() => setTimeout(lingerMs, undefined, { ref: false }));
    await Promise.race([connections.closed(), answered, whenDone(work)]);
    server.forceShutdown();
    connections.cut();
  }

  #build(lifetime: Lifetime): Server {
    const { token = '', maxMessageBytes } = this.#options;
    const { services, logger } = this.#backend;
    const server = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': largestAnswer,
      'grpc.max_concurrent_streams': mostCalls,
      ...keepAlive,
      interceptors: [...(token === '' ? [] : [tokenGuard(token)]), intakeGuard(lifetime.intake)],
    });
    for (const service of services) {
      const { definition, implementation } = new ServiceAdapter(service, lifetime, logger);
      server.addService(definition, implementation);
    }
    reflectionOf(services.map(({ schema }) => schema)).addToServer(server);
    return server;
  }

  /** @throws {InsecureListenError} @throws {CannotListenError} */
  async #listen(server: Server): Promise<Connections> {
    const { port, tls } = this.#options;
    try {
      const connections = new Connections(server.createConnectionInjector(credentialsOf(tls)));
      const address = await connections.listen(await addressOf(this.#options), port);
      this.#listening.begin(urlOf(tls === undefined ? 'grpc' : 'grpcs', address));
      return connections;
    } catch (error) {
      throw error instanceof InsecureListenError ? error : cannotListen(this.#options, '--grpc-', error);
    }
  }
}

function credentialsOf(tls: GrpcOptions['tls']): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
}
