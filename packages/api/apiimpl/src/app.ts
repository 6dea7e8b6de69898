import type { HttpOptions } from '@samovar/api';
import { type FastifyInstance, fastify } from 'fastify';
import { MalformedJsonError, PathNotFoundError, StoppingError } from './errors.ts';
import { guard, hostName } from './guard.ts';
import { sendProblem } from './problem.ts';
import { addRoutes, type Backend, type Lifetime } from './routes.ts';

/** How long a client may take for its headers, for the whole request, and for each piece of a response, in ms. */
const headersTimeout = 10_000;
const requestTimeout = 30_000;
const responseTimeout = 60_000;

/** Everything that is served over HTTP; not listening yet. */
export function buildApp(options: HttpOptions, backend: Backend, lifetime: Lifetime): FastifyInstance {
  const { logger } = backend;
  const app = fastify({
    bodyLimit: options.maxBodyBytes,
    requestTimeout,
    keepAliveTimeout: 5_000,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1_000 },
    http: { headersTimeout, connectionsCheckingInterval: 5_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
    frameworkErrors: (error, request, reply) => sendProblem(logger, error, request, reply),
  });
  app.setErrorHandler((error, request, reply) => sendProblem(logger, error, request, reply));
  app.setNotFoundHandler((request) => {
    throw new PathNotFoundError(request.url.split('?', 1)[0] ?? '');
  });
  addHooks(app, options, backend, lifetime);
  addJsonParser(app);
  addRoutes(app, backend, lifetime);
  return app;
}

function addHooks(app: FastifyInstance, options: HttpOptions, { logger }: Backend, { intake }: Lifetime): void {
  const allowedHosts = new Set(options.allowedHosts.map((host) => hostName(host) ?? host));
  app.addHook('onRequest', async (request, reply) => {
    // From here on the request's own limits count: a command, or a stream that waits, may be silent for long.
    request.raw.socket.setTimeout(0);
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'x-request-id': request.id });
    guard(request, allowedHosts);
    if (intake.aborted) throw new StoppingError();
  });
  app.addHook('onSend', async (request, reply) => {
    request.raw.socket.setTimeout(responseTimeout);
    if (intake.aborted) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async ({ id: requestId, method, url }, { statusCode, elapsedTime: ms }) => {
    logger.debug('request', { requestId, method, url, statusCode, ms });
  });
}

function addJsonParser(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => {
    if (body.length === 0) throw new MalformedJsonError('it is empty; send {} for a struct without fields');
    try {
      return JSON.parse(utf8.decode(body)) as unknown;
    } catch (error) {
      throw new MalformedJsonError((error as Error).message);
    }
  });
}
