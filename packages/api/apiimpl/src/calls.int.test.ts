import { FakeBus } from '@samovar/bustest';
import { traceParent } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CountBooksQuery, FindBooksQuery, LendBookCommand, startApi } from '../testing.ts';

let bus: FakeBus;
beforeEach(() => {
  bus = new FakeBus();
  bus.addHandler(FindBooksQuery, (_, args) => args);
  bus.addHandler(LendBookCommand, () => {});
  bus.addHandler(CountBooksQuery, () => 3);
});

describe('a call', () => {
  it('by POST takes the struct as JSON and answers with the result', async () => {
    const { call } = await startApi({ bus });
    const { status, type, body } = await call('/v1/library/FindBooksQuery', { title: 'Oblomov', shelves: [1, 2] });
    expect([status, type]).toEqual([200, 'application/json']);
    expect(body).toEqual({ title: 'Oblomov', shelves: [1, 2], tags: [] });
    expect(await call('/v1/library/CountBooksQuery', {})).toMatchObject({ status: 200, body: 3 });
  });

  it('that returns nothing answers 204', async () => {
    const { call } = await startApi({ bus });
    expect(await call('/v1/library/LendBookCommand', { isbn: '978' })).toEqual({
      status: 204,
      type: null,
      body: undefined,
    });
    expect(bus.dispatched).toEqual([{ message: LendBookCommand, args: { isbn: '978' } }]);
  });

  it('by GET takes a query’s struct as parameters', async () => {
    const { call } = await startApi({ bus });
    const parameters =
      'title=12&year=1859&lent=false&tags=a&shelves=1&shelves=2&pages={"from":1,"to":5}&ranges={"from":2,"to":3}';
    expect(await call(`/v1/library/FindBooksQuery?${parameters}`)).toMatchObject({
      status: 200,
      body: {
        title: '12',
        year: 1859,
        lent: false,
        tags: ['a'],
        shelves: [1, 2],
        pages: { from: 1, to: 5 },
        ranges: [{ from: 2, to: 3 }],
      },
    });
  });

  it('belongs to the trace that its client names', async () => {
    const { url } = await startApi({ bus });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traces: (string | undefined)[] = [];
    bus.addHandler({ ...CountBooksQuery, name: 'library.TraceQuery' }, (ctx) => traces.push(ctx.value(traceParent)));
    for (const headers of [{ traceparent }, { traceparent: 'tea' }, {}] as Record<string, string>[]) {
      expect((await fetch(`${url}/v1/library/TraceQuery`, { headers })).status).toBe(200);
    }
    expect(traces).toEqual([traceparent, undefined, undefined]);
  });

  it('by HEAD asks a query for nothing but the answer’s head', async () => {
    const { url } = await startApi({ bus });
    const response = await fetch(`${url}/v1/library/CountBooksQuery`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('runs under a context that ends when the client leaves, and when work does', async () => {
    const contexts: AbortSignal[] = [];
    bus.addHandler(
      { ...LendBookCommand, name: 'library.WaitCommand' },
      ({ signal }) =>
        new Promise<void>((resolve) => {
          contexts.push(signal);
          signal.addEventListener('abort', () => resolve());
        }),
    );
    const { url, work } = await startApi({ bus });
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"isbn":"978"}' };
    const leaving = new AbortController();
    const left = fetch(`${url}/v1/library/WaitCommand`, { ...post, signal: leaving.signal });
    const staying = fetch(`${url}/v1/library/WaitCommand`, post).catch(() => 'cut');
    await vi.waitUntil(() => contexts.length === 2);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await vi.waitUntil(() => contexts.some(({ aborted }) => aborted));
    expect(contexts.filter(({ aborted }) => aborted)).toHaveLength(1);
    work.cancel();
    expect(contexts.every(({ aborted }) => aborted)).toBe(true);
    await staying;
  });

  it('finds handlers that were added later, and not those that are gone', async () => {
    const { call } = await startApi({ bus });
    const later = { ...CountBooksQuery, name: 'library.LaterQuery' };
    expect(await call('/v1/library/LaterQuery')).toMatchObject({ status: 404 });
    const handler = bus.addHandler(later, () => 5);
    expect(await call('/v1/library/LaterQuery')).toMatchObject({ status: 200, body: 5 });
    handler[Symbol.dispose]();
    expect(await call('/v1/library/LaterQuery')).toMatchObject({ status: 501, body: { id: 'bus.handlerNotFound' } });
  });
});

describe('bad input', () => {
  const problem = (status: number, id: string, more: object = {}) =>
    expect.objectContaining({
      status,
      type: 'application/problem+json',
      body: expect.objectContaining({ type: `urn:samovar:error:${id}`, status, id, ...more }),
    });

  async function post(
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) {
    const { url } = await startApi({ bus });
    const response = await fetch(`${url}/v1/library/LendBookCommand`, { method: 'POST', headers, body });
    const type = response.headers.get('content-type');
    return { status: response.status, type, body: (await response.json()) as { detail: string } };
  }

  it('malformed JSON: 400, saying where', async () => {
    const answer = await post('{"isbn": "978",}');
    expect(answer).toEqual(problem(400, 'api.malformedJson'));
    expect(answer.body.detail).toContain('position 15');
    expect(await post('')).toEqual(problem(400, 'api.malformedJson'));
    expect(await post(new Uint8Array([0x22, 0xff, 0x22]))).toEqual(problem(400, 'api.malformedJson'));
  });

  it('a body that is too large: 413, with the limit', async () => {
    const large = problem(413, 'api.bodyTooLarge', { details: { maxBytes: 10_000 } });
    expect(await post(JSON.stringify({ isbn: 'x'.repeat(10_000) }))).toEqual(large);
  });

  it('a body that is too large and of no declared length: 413', async () => {
    const { url } = await startApi({ bus });
    const body = new ReadableStream({ pull: (to) => to.enqueue(Buffer.alloc(4_096, 32)) }, { highWaterMark: 0 });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' } as const;
    const outcome = await fetch(`${url}/v1/library/LendBookCommand`, init).then(
      ({ status }) => status,
      () => 'cut',
    );
    expect([413, 'cut']).toContain(outcome);
    expect(bus.dispatched).toEqual([]);
  });

  it.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': '' },
  ])('another content type: 415 (%o)', async (headers) =>
    expect(await post('{"isbn":"978"}', headers)).toEqual(problem(415, 'api.unsupportedMediaType')),
  );

  it('no body and no content type: 415', async () => {
    const { url } = await startApi({ bus });
    const { status } = await fetch(`${url}/v1/library/LendBookCommand`, { method: 'POST' });
    expect(status).toBe(415);
  });

  it.each([
    ['a wrong type', { isbn: 978 }, ['isbn']],
    ['an unknown field', { isbn: '978', to: 'Ann' }, []],
    ['no struct', 7, []],
    ['a missing field', {}, ['isbn']],
  ])('%s in the body: 400 with the faults', async (_, body, path) => {
    const { call } = await startApi({ bus });
    const details = { message: 'library.LendBookCommand', faults: [expect.objectContaining({ path })] };
    expect(await call('/v1/library/LendBookCommand', body)).toEqual(problem(400, 'message.invalid', { details }));
    expect(bus.dispatched).toEqual([]);
  });

  it('a __proto__ in the body: 400, and no prototype is touched', async () => {
    expect(await post('{"isbn":"978","__proto__":{"polluted":1}}')).toEqual(problem(400, 'message.invalid'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ['year=soon', ['year']],
    ['year=1&year=2', ['year']],
    ['lent=maybe', ['lent']],
    ['pages={', ['pages']],
    ['author=Ann', []],
    ['__proto__=1', []],
  ])('parameters that do not fit: 400 with the faults (%s)', async (parameters, path) => {
    const { call } = await startApi({ bus });
    const details = { message: 'library.FindBooksQuery', faults: [expect.objectContaining({ path })] };
    expect(await call(`/v1/library/FindBooksQuery?${parameters}`)).toEqual(
      problem(400, 'message.invalid', { details }),
    );
  });

  it('an unknown message: 404, naming it and the nearest one', async () => {
    const { call } = await startApi({ bus });
    expect(await call('/v1/library/LendBokCommand', {})).toEqual(
      problem(404, 'api.unknownMessage', {
        details: { message: 'library.LendBokCommand', nearest: 'library.LendBookCommand' },
        detail: 'no command or query library.LendBokCommand: did you mean library.LendBookCommand?',
      }),
    );
    const answer = await call('/v1/nothing/LikeIt');
    expect(answer).toEqual(problem(404, 'api.unknownMessage', { details: { message: 'nothing.LikeIt' } }));
  });

  it('an unknown path: 404', async () => {
    const { call } = await startApi({ bus });
    expect(await call('/v2/library?x=1')).toEqual(problem(404, 'api.notFound'));
    expect(await call('/v1/library/%zz')).toEqual(problem(400, 'api.badRequest'));
    expect(await call(`/v1/library/${'x'.repeat(2_000)}`)).toEqual(problem(414, 'api.badRequest'));
  });

  it.each([
    ['GET', '/v1/library/LendBookCommand', 'POST'],
    ['PUT', '/v1/library/CountBooksQuery', 'GET, HEAD, POST'],
    ['OPTIONS', '/v1/library/LendBookCommand', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/v1/streams/repos.1/events', 'GET'],
  ])('the wrong method: 405 (%s %s)', async (method, path, allow) => {
    const { url } = await startApi({ bus });
    const response = await fetch(`${url}${path}`, {
      method,
      headers: method === 'POST' ? { 'content-type': 'application/json' } : {},
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ id: 'api.methodNotAllowed' });
  });
});

describe('an error of the handler', () => {
  class OutOfStockError extends DomainError {
    constructor(status: DomainError['status']) {
      super(status, 'library.outOfStock', {
        publicMessage: 'all are lent',
        message: 'all are lent, said the secret store',
        details: { copies: 0 },
        cause: new Error('row 7'),
      });
    }
  }

  it('is a problem with its id, public message and details', async () => {
    bus.addHandler({ ...CountBooksQuery, name: 'library.FailQuery' }, () => {
      throw new OutOfStockError('failed_precondition');
    });
    const { call, logger } = await startApi({ bus });
    expect((await call('/v1/library/FailQuery')).body).toEqual({
      type: 'urn:samovar:error:library.outOfStock',
      title: 'Bad Request',
      status: 400,
      detail: 'all are lent',
      id: 'library.outOfStock',
      details: { copies: 0 },
    });
    expect(logger.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('that the server is to blame for is logged with its cause', async () => {
    const error = new OutOfStockError('unavailable');
    bus.addHandler({ ...CountBooksQuery, name: 'library.FailQuery' }, () => Promise.reject(error));
    const { call, logger } = await startApi({ bus });
    expect(await call('/v1/library/FailQuery')).toMatchObject({ status: 503, body: { id: 'library.outOfStock' } });
    expect(logger.lines).toContainEqual({
      level: 'error',
      message: 'request failed: all are lent, said the secret store',
      fields: expect.objectContaining({ url: '/v1/library/FailQuery', err: error }),
    });
  });

  it('that is none of the domain’s is masked, and logged', async () => {
    const error = new Error('password is hunter2');
    bus.addHandler({ ...CountBooksQuery, name: 'library.FailQuery' }, () => Promise.reject(error));
    const { call, logger } = await startApi({ bus });
    const answer = await call('/v1/library/FailQuery');
    expect(answer).toMatchObject({ status: 500, body: { id: 'errors.internal', detail: 'internal error' } });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ err: error }) }),
    );
  });
});
