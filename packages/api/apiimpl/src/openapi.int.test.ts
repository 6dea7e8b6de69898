import { FakeBus } from '@samovar/bustest';
import { event, query } from '@samovar/message';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { CountBooksQuery, FindBooksQuery, LendBookCommand, startApi } from '../testing.ts';

interface Folder {
  readonly name: string;
  readonly folders: readonly Folder[];
}
const Folder: z.ZodType<Folder> = z.object({
  name: z.string(),
  get folders() {
    return z.array(Folder);
  },
});
const FindFoldersQuery = query(
  'library.FindFoldersQuery',
  z.object({ under: Folder.optional(), name: z.string() }),
  Folder,
);
const BookLent = event('library.BookLent', z.object({ isbn: z.string() }), { stream: () => 'books' });
const ShelfMoved = event('library.ShelfMoved', z.object({ shelf: z.int() }));

function library(): FakeBus {
  const bus = new FakeBus();
  bus.addHandler(FindBooksQuery, () => []);
  bus.addHandler(LendBookCommand, () => {});
  bus.addHandler(CountBooksQuery, () => 3);
  bus.addHandler(FindFoldersQuery, (_, { name }) => ({ name, folders: [] }));
  bus.addEventListener(BookLent, () => {});
  bus.addEventListener(ShelfMoved, () => {});
  return bus;
}

it('/openapi.json is valid OpenAPI 3.1, of all that is handled', async () => {
  const { call } = await startApi({ bus: library() });
  const { status, body } = await call('/openapi.json');
  expect(status).toBe(200);
  const validator = new Validator();
  expect(await validator.validate(body)).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const { paths, components } = body as {
    paths: Record<string, Record<string, never>>;
    components: Record<string, object>;
  };
  expect(Object.entries(paths).map(([path, methods]) => `${Object.keys(methods).join()} ${path}`)).toEqual([
    'get,post /v1/library/CountBooksQuery',
    'get,post /v1/library/FindBooksQuery',
    'get,post /v1/library/FindFoldersQuery',
    'post /v1/library/LendBookCommand',
    'get /v1/streams/{selector}/events',
    'get /v1/catalogue',
    'get /openapi.json',
    'get /healthz',
    'get /readyz',
  ]);
  for (const methods of Object.values(paths)) {
    for (const { responses } of Object.values(methods)) expect(Object.keys(responses)).toContain('default');
  }
  expect(components).toMatchObject({ responses: { Problem: { content: { 'application/problem+json': {} } } } });
});

it('every reference in it leads somewhere', async () => {
  const { call } = await startApi({ bus: library() });
  const { body } = await call('/openapi.json');
  const refs = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref as string);
  expect(refs.length).toBeGreaterThan(10);
  for (const ref of refs) {
    const target = ref
      .slice('#/'.length)
      .split('/')
      .reduce<never>((node, key) => node?.[key], body);
    expect(target, ref).toBeDefined();
  }
});

it('describes a query’s fields as parameters, structs as JSON', async () => {
  const { call } = await startApi({ bus: library() });
  const { body } = await call('/openapi.json');
  const { parameters } = (body as { paths: Record<string, { get: { parameters: { name: string }[] } }> }).paths[
    '/v1/library/FindBooksQuery'
  ]?.get ?? { parameters: [] };
  expect(parameters.map(({ name }) => name)).toEqual(['title', 'year', 'lent', 'tags', 'shelves', 'pages', 'ranges']);
  const named = (name: string) => parameters.find((parameter) => parameter.name === name);
  expect(named('lent')).toEqual({ name: 'lent', in: 'query', required: false, schema: { type: 'boolean' } });
  expect(named('pages')).toHaveProperty(['content', 'application/json', 'schema', 'type'], 'object');
});

it('/v1/catalogue tells of every message, who handles it, who listens', async () => {
  const { call } = await startApi({ bus: library() });
  const { body } = await call('/v1/catalogue');
  const place = expect.stringMatching(/openapi\.int\.test\.ts:\d+:\d+$/);
  expect(body).toEqual([
    {
      name: 'library.BookLent',
      kind: 'event',
      data: BookLent.jsonSchema(),
      version: 1,
      durable: true,
      listenersAt: [place],
    },
    {
      name: 'library.CountBooksQuery',
      kind: 'query',
      args: CountBooksQuery.jsonSchema(),
      result: CountBooksQuery.resultJsonSchema(),
      handledAt: place,
    },
    expect.objectContaining({ name: 'library.FindBooksQuery', kind: 'query' }),
    expect.objectContaining({ name: 'library.FindFoldersQuery', kind: 'query' }),
    {
      name: 'library.LendBookCommand',
      kind: 'command',
      args: LendBookCommand.jsonSchema(),
      result: null,
      handledAt: place,
    },
    expect.objectContaining({ name: 'library.ShelfMoved', durable: false }),
  ]);
});

it('a recursive struct can be a parameter', async () => {
  const { call } = await startApi({ bus: library() });
  const under = JSON.stringify({ name: 'a', folders: [{ name: 'b', folders: [] }] });
  expect(await call(`/v1/library/FindFoldersQuery?name=7&under=${under}`)).toMatchObject({
    status: 200,
    body: { name: '7' },
  });
});
