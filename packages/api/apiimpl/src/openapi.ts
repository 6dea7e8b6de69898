import type { AnyCall, CatalogueEntry } from '@samovar/bus';
import type { JsonSchema } from '@samovar/message';
import { holdsStruct, properties } from './parameters.ts';
import { problemType } from './problem.ts';
import { ndjson, readParametersSchema } from './streams.ts';

/** An OpenAPI 3.1 document of everything that is served: the handled messages, streams, and the server's own pages. */
export function openApi(catalogue: readonly CatalogueEntry[]): Record<string, unknown> {
  const calls = catalogue.flatMap((entry) => ('handledAt' in entry ? [entry.message] : []));
  const schemas = Object.assign({ Problem: problem, Event: event }, ...calls.map(schemasOf));
  const paths = Object.assign({}, ...calls.map(pathOf), ownPaths());
  return {
    openapi: '3.1.1',
    info: { title: 'Samovar', version: '1', description: 'Every command, query and event stream of this server.' },
    paths,
    components: { schemas, responses: { Problem: json('What went wrong.', ref('Problem'), problemType) } },
  };
}

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const json = (description: string, schema: JsonSchema, type = 'application/json') => ({
  description,
  content: { [type]: { schema } },
});
const failure = { default: { $ref: '#/components/responses/Problem' } };

function pathOf(call: AnyCall): Record<string, unknown> {
  const [domain, name] = call.name.split('.');
  const responses = { ...success(call), ...failure };
  const common = { tags: [domain], responses };
  const post = {
    ...common,
    operationId: call.name,
    requestBody: { required: true, content: { 'application/json': { schema: ref(call.name) } } },
  };
  const get = { ...common, operationId: `${call.name}.get`, parameters: parametersOf(call.jsonSchema(), call.name) };
  return { [`/v1/${domain}/${name}`]: call.kind === 'query' ? { get, post } : { post } };
}

function success(call: AnyCall): Record<string, unknown> {
  const returns = call.resultJsonSchema() !== undefined;
  return returns ? { 200: json('Its result.', ref(`${call.name}.result`)) } : { 204: { description: 'It is done.' } };
}

function parametersOf(schema: JsonSchema, name: string): unknown[] {
  const required = new Set((schema.required ?? []) as string[]);
  return Object.entries(properties(schema)).map(([field, own]) => {
    const fieldSchema = relocate(own, name);
    const form = holdsStruct(schema, own)
      ? { content: { 'application/json': { schema: fieldSchema } } }
      : { schema: fieldSchema };
    return { name: field, in: 'query', required: required.has(field), ...form };
  });
}

function schemasOf(call: AnyCall): Record<string, JsonSchema> {
  const result = call.resultJsonSchema();
  const args = component(call.name, call.jsonSchema());
  return result === undefined ? args : { ...args, ...component(`${call.name}.result`, result) };
}

/** A schema and its local definitions as components of the document. */
function component(name: string, { $defs, ...schema }: JsonSchema): Record<string, JsonSchema> {
  const definitions = Object.entries(($defs ?? {}) as Record<string, JsonSchema>);
  const moved = definitions.map(([key, value]) => [`${name}.${key}`, relocate(value, name)]);
  return { [name]: relocate(schema, name), ...Object.fromEntries(moved) };
}

/** `schema` with the references into its own document pointing to where {@link component} has put them. */
function relocate<T>(schema: T, name: string): T {
  const text = JSON.stringify(schema, (key, value) => {
    if (key !== '$ref' || typeof value !== 'string') return value;
    if (value === '#') return ref(name).$ref;
    return value.startsWith('#/$defs/') ? ref(`${name}.${value.slice('#/$defs/'.length)}`).$ref : value;
  });
  return JSON.parse(text) as T;
}

function ownPaths(): Record<string, unknown> {
  const selector = { name: 'selector', in: 'path', required: true, schema: { type: 'string' } };
  const page = (description: string, schema: JsonSchema = { type: 'object' }) => ({
    get: { tags: ['server'], responses: { 200: json(description, schema), ...failure } },
  });
  return {
    '/v1/streams/{selector}/events': {
      get: {
        tags: ['streams'],
        operationId: 'streams.read',
        parameters: [selector, ...parametersOf(readParametersSchema, '')],
        responses: { 200: json('The events, one in a line.', ref('Event'), ndjson), ...failure },
      },
    },
    '/v1/catalogue': page('The messages that are handled or listened to.', {
      type: 'array',
      items: { type: 'object' },
    }),
    '/openapi.json': page('This document.'),
    '/healthz': page('The server lives.'),
    '/readyz': page('The server takes in work; 503 while it does not.'),
  };
}

const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };

const problem = {
  type: 'object',
  description: 'RFC 9457 problem details. `id` is stable and stands for one kind of error.',
  required: ['type', 'title', 'status', 'detail', 'id', 'details'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    id: text,
    details: { type: 'object' },
  },
};

const event = {
  type: 'object',
  required: ['stream', 'id', 'type', 'dataType', 'data', 'time', 'ackTime'],
  properties: {
    stream: text,
    id: { type: 'string', pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' },
    type: text,
    dataType: { enum: ['json', 'string', 'bytes', 'proto', 'nil'] },
    data: { description: 'json: the value; string: the text; nil: null; bytes and proto: {"base64": …}' },
    time,
    ackTime: time,
    schema: text,
    client: text,
    aggregate: text,
    cause: { type: ['string', 'null'] },
    meta: { type: 'object', additionalProperties: text },
    deliveries: { type: 'integer' },
  },
};
