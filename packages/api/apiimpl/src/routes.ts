import type { Bus } from '@samovar/bus';
import { type Context, withCancel, withTraceParent } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import type { Logger, Readiness } from '@samovar/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Call, Calls } from './calls.ts';
import { catalogueItem } from './catalogue.ts';
import { MethodNotAllowedError, UnsupportedMediaTypeError } from './errors.ts';
import { openApi } from './openapi.ts';
import type { Parameters } from './parameters.ts';
import { encodeJson } from './problem.ts';
import { sendEvents } from './streams.ts';

/** What the routes lead to. */
export interface Backend {
  readonly bus: Bus;
  readonly conn: Conn;
  readonly readiness: Readiness;
  readonly logger: Logger;
}

export interface Lifetime {
  /** Aborted: nothing new is taken in. */
  readonly intake: AbortSignal;
  /** Under which requests run. */
  readonly work: Context;
}

export function addRoutes(
  app: FastifyInstance,
  { bus, conn, readiness, logger }: Backend,
  { intake, work }: Lifetime,
): void {
  const calls = new Calls(bus);
  app.all<{ Params: { domain: string; name: string } }>('/v1/:domain/:name', async (request, reply) => {
    const call = calls.get(`${request.params.domain}.${request.params.name}`);
    const args = argsOf(call, request);
    return sendJson(reply, await bus.dispatch(requestContext(work, request, reply), call.message, args));
  });

  app.all<{ Params: { selector: string } }>('/v1/streams/:selector/events', async (request, reply) => {
    if (request.method !== 'GET') throw new MethodNotAllowedError(request.method, 'a stream', ['GET']);
    const ctx = requestContext(work, request, reply);
    await sendEvents(conn, request.params.selector, request.query as Parameters, reply, { ctx, intake, logger });
    return reply;
  });

  page(app, '/v1/catalogue', () => bus.catalogue().map(catalogueItem));
  page(app, '/openapi.json', () => openApi(bus.catalogue()));
  page(app, '/healthz', () => ({ status: 'alive' }));
  page(app, '/readyz', (reply) => {
    const ready = readiness.isReady();
    reply.code(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready' };
  });
}

function page(app: FastifyInstance, path: string, content: (reply: FastifyReply) => unknown): void {
  app.all(path, async ({ method }, reply) => {
    if (method !== 'GET' && method !== 'HEAD') throw new MethodNotAllowedError(method, path, ['GET', 'HEAD']);
    return sendJson(reply, content(reply));
  });
}

function argsOf(call: Call, { method, headers, body, query }: FastifyRequest): unknown {
  const { message } = call;
  if (method === 'POST') {
    if (headers['content-type'] === undefined) throw new UnsupportedMediaTypeError(undefined);
    return message.parse(body);
  }
  const isQuery = message.kind === 'query';
  if (isQuery && (method === 'GET' || method === 'HEAD'))
    return message.parse(call.readParameters(query as Parameters));
  throw new MethodNotAllowedError(
    method,
    `the ${message.kind} ${message.name}`,
    isQuery ? ['GET', 'HEAD', 'POST'] : ['POST'],
  );
}

function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  if (value === undefined) return reply.code(204).send();
  return reply.type('application/json').send(encodeJson(value));
}

/** Ends when the client is gone, or has its answer; knows the trace that it names. */
function requestContext(work: Context, { headers }: FastifyRequest, { raw }: FastifyReply): Context {
  const { ctx, cancel } = withCancel(withTraceParent(work, headers.traceparent));
  raw.once('close', () => cancel());
  return ctx;
}
