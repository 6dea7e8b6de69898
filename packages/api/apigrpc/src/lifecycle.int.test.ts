import { type AddressInfo, connect, createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { GrpcApi } from '@samovar/api';
import { background, withTimeout } from '@samovar/context';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CountBooksQuery, clientOf, containerOf, dispatch, startGrpc } from '../testing.ts';

it('tells where it listens, while it does', async () => {
  const api = containerOf().get(GrpcApi);
  expect(api.url).toBeUndefined();
  await expect(api.listening(withTimeout(background, 5).ctx)).rejects.toMatchObject({ status: 'deadline_exceeded' });
  const grpc = await startGrpc({ options: { host: 'localhost' } });
  expect(grpc.url).toMatch(/^grpc:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
  expect(grpc.api.url).toBe(grpc.url);
  grpc.intake.cancel();
  await grpc.running;
  expect(grpc.api.url).toBeUndefined();
});

describe('says what keeps it from listening:', () => {
  it('a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startGrpc({ options: { port } })).rejects.toMatchObject({
      id: 'api.cannotListen',
      publicMessage: expect.stringMatching(new RegExp(`port ${port} of 127.0.0.1: it is in use.*--grpc-port`)),
    });
  });

  it('an address that is not this machine’s', async () => {
    await expect(startGrpc({ options: { host: 'nowhere.invalid' } })).rejects.toMatchObject({
      id: 'api.cannotListen',
      publicMessage: expect.stringContaining('--grpc-host'),
    });
  });

  it('a certificate that is none', async () => {
    await expect(startGrpc({ options: { tls: { cert: 'tea', key: 'milk' } } })).rejects.toMatchObject({
      id: 'api.cannotListen',
    });
  });
});

describe('at shutdown', () => {
  it('calls under way finish, and no others are taken in', async () => {
    const grpc = await startGrpc();
    const answer = Promise.withResolvers<number>();
    const asked = vi.fn(() => answer.promise);
    grpc.bus.addHandler(CountBooksQuery, asked);
    const result = dispatch(clientOf(grpc.target), 'library.CountBooksQuery');
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    grpc.intake.cancel();
    await vi.waitFor(() =>
      expect(dispatch(clientOf(grpc.target), 'library.CountBooksQuery')).rejects.toMatchObject({
        code: status.UNAVAILABLE,
      }),
    );
    answer.resolve(4);
    expect(await result).toBe('4');
    await grpc.running;
    expect(asked).toHaveBeenCalledOnce();
  });

  it('calls still under way when work ends are cut', async () => {
    const grpc = await startGrpc();
    const asked = vi.fn(() => new Promise<number>(() => {}));
    grpc.bus.addHandler(CountBooksQuery, asked);
    const cut = expect(dispatch(clientOf(grpc.target), 'library.CountBooksQuery')).rejects.toThrow();
    await vi.waitUntil(() => asked.mock.calls.length === 1);
    grpc.intake.cancel();
    grpc.work.cancel();
    await grpc.running;
    await cut;
  });

  it.each([
    ['says nothing', ''],
    ['speaks another protocol', 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'],
    ['stops in the middle', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0'],
  ])('a client that %s does not keep it', async (_, said) => {
    const grpc = await startGrpc();
    const port = Number(grpc.target.split(':').at(-1));
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(said);
    expect(await codeOf(dispatch(clientOf(grpc.target), 'library.Nothing'))).toBe(status.NOT_FOUND);
    // It does not even read that it should go.
    grpc.intake.cancel();
    await grpc.running;
    socket.resume();
    await vi.waitUntil(() => {
      socket.write('more');
      return socket.closed;
    });
  });
});

async function codeOf(answer: Promise<unknown>): Promise<unknown> {
  return await answer.catch(({ code }: { readonly code: number }) => code);
}
