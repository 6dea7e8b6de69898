import { type AddressInfo, connect, createServer } from 'node:net';
import { FakeBus } from '@samovar/bustest';
import { background, withTimeout } from '@samovar/context';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CountBooksQuery, connReading, recordingLogger, startApi } from '../testing.ts';
import { HttpService } from './http.ts';

const bus = new FakeBus();

it('tells where it listens, while it does', async () => {
  const options = { host: 'localhost', port: 0, allowedHosts: [], maxBodyBytes: 1 };
  const conn = connReading(async function* () {});
  const service = new HttpService(options, {
    bus,
    conn,
    readiness: { isReady: () => true },
    logger: recordingLogger(),
  });
  expect(service.url).toBeUndefined();
  await expect(service.listening(withTimeout(background, 5).ctx)).rejects.toMatchObject({
    status: 'deadline_exceeded',
  });
  const { ctx, cancel } = (await import('@samovar/context')).withCancel(background);
  const running = service.run(ctx);
  const url = await service.listening(background);
  expect(service.url).toBe(url);
  expect(url).toMatch(/^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  cancel();
  await running;
  expect(service.url).toBeUndefined();
});

it('says which port is in use, and what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(startApi({ bus, options: { port } })).rejects.toMatchObject({
    id: 'api.cannotListen',
    publicMessage: expect.stringMatching(new RegExp(`port ${port} of 127.0.0.1: it is in use.*--port`)),
    details: { host: '127.0.0.1', port },
  });
});

it('says that an address is not this machine’s', async () => {
  for (const host of ['nowhere.invalid', '203.0.113.7']) {
    await expect(startApi({ bus, options: { host } })).rejects.toMatchObject({
      id: 'api.cannotListen',
      publicMessage: expect.stringContaining('--host'),
    });
  }
});

it('is alive, and ready when the server is', async () => {
  let ready = false;
  const { call } = await startApi({ bus, isReady: () => ready });
  expect(await call('/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await call('/readyz')).toMatchObject({ status: 503, body: { status: 'not ready' } });
  ready = true;
  expect(await call('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
});

it('finishes requests under way at shutdown, and takes in no others', async () => {
  const answer = Promise.withResolvers<number>();
  const asked = vi.fn(() => answer.promise);
  const own = new FakeBus();
  own.addHandler(CountBooksQuery, asked);
  const { url, intake, running } = await startApi({ bus: own });
  const response = fetch(`${url}/v1/library/CountBooksQuery`);
  await vi.waitUntil(() => asked.mock.calls.length === 1);
  intake.cancel();
  await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
  answer.resolve(4);
  expect(await (await response).json()).toBe(4);
  expect((await response).headers.get('connection')).toBe('close');
  await running;
});

it('closes idle connections at shutdown, used or not', async () => {
  const { url, port, intake, running } = await startApi({ bus });
  const unused = connect(port, '127.0.0.1');
  await new Promise((resolve) => unused.once('connect', resolve));
  await (await fetch(`${url}/healthz`)).text();
  const closed = new Promise((resolve) => unused.once('close', resolve));
  const before = performance.now();
  intake.cancel();
  await Promise.all([running, closed]);
  expect(performance.now() - before).toBeLessThan(2_000);
});

it('cuts what is still under way when work ends', async () => {
  const own = new FakeBus();
  const asked = vi.fn(() => new Promise<number>(() => {}));
  own.addHandler(CountBooksQuery, asked);
  const { url, intake, work, running } = await startApi({ bus: own });
  const response = fetch(`${url}/v1/library/CountBooksQuery`);
  const cut = expect(response).rejects.toThrow();
  await vi.waitUntil(() => asked.mock.calls.length === 1);
  intake.cancel();
  work.cancel();
  await running;
  await cut;
});

it('logs requests at debug, with the id that the client got', async () => {
  const { url, logger } = await startApi({ bus });
  const response = await fetch(`${url}/healthz`);
  const requestId = response.headers.get('x-request-id');
  await vi.waitFor(() =>
    expect(logger.lines).toEqual([
      {
        level: 'debug',
        message: 'request',
        fields: { requestId, method: 'GET', url: '/healthz', statusCode: 200, ms: expect.any(Number) },
      },
    ]),
  );
});
