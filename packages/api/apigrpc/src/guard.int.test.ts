import { credentials, status } from '@grpc/grpc-js';
import { certificate, opensslLacking } from '@samovar/vitestconfig/certificate';
import { describe, expect, it } from 'vitest';
import { CountBooksQuery, callRaw, clientOf, dispatch, startGrpc } from '../testing.ts';

const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const healthPath = '/grpc.health.v1.Health/Check';

describe('a server with a token', () => {
  it.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer s3cret' }],
    ['one that begins with it', { authorization: 'Bearer s3cret-token2' }],
    ['another scheme', { authorization: 'Basic czNjcmV0LXRva2Vu' }],
    ['nothing but the scheme', { authorization: 'Bearer ' }],
  ])('refuses callers with %s', async (_, metadata) => {
    const { target, bus } = await startGrpc({ options: { token: 's3cret-token' } });
    bus.addHandler(CountBooksQuery, () => 3);
    const client = clientOf(target);
    await expect(dispatch(client, 'library.CountBooksQuery', '', { metadata })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining('Bearer'),
    });
    await expect(callRaw(client, reflectionPath, new Uint8Array(), { metadata })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    expect(bus.dispatched).toEqual([]);
  });

  it('serves those with the token, and tells anybody whether it is well', async () => {
    const { target, bus } = await startGrpc({ options: { token: 's3cret-token' } });
    bus.addHandler(CountBooksQuery, () => 3);
    const client = clientOf(target);
    for (const authorization of ['Bearer s3cret-token', 'bearer s3cret-token']) {
      expect(await dispatch(client, 'library.CountBooksQuery', '', { metadata: { authorization } })).toBe('3');
    }
    expect([...(await callRaw(client, healthPath, new Uint8Array()))]).toEqual([8, 1]);
  });
});

describe.skipIf(opensslLacking())('a server with TLS', () => {
  it('serves those who trust its certificate, and nobody unencrypted', async () => {
    const tls = certificate();
    const { url, target, bus } = await startGrpc({ options: { tls } });
    expect(url).toMatch(/^grpcs:\/\/127\.0\.0\.1:\d+$/);
    bus.addHandler(CountBooksQuery, () => 3);
    const trusting = clientOf(target, credentials.createSsl(Buffer.from(tls.cert)));
    expect(await dispatch(trusting, 'library.CountBooksQuery')).toBe('3');
    const deadline = new Date(Date.now() + 20_000);
    for (const creds of [credentials.createSsl(Buffer.from(certificate().cert)), credentials.createInsecure()]) {
      await expect(
        dispatch(clientOf(target, creds), 'library.CountBooksQuery', '', { deadline }),
      ).rejects.toMatchObject({ code: status.UNAVAILABLE });
    }
  });

  it('listens beyond this machine, if it has a token', async () => {
    const tls = certificate();
    const { url } = await startGrpc({ options: { tls, token: 's3cret-token', host: '0.0.0.0' } });
    expect(url).toMatch(/^grpcs:\/\/localhost:\d+$/);
    await expect(startGrpc({ options: { tls, host: '0.0.0.0' } })).rejects.toMatchObject({
      id: 'api.insecureListen',
      details: { option: 'token' },
    });
  });
});

it.each(['0.0.0.0', '::'])('is not served on %s unencrypted', async (host) => {
  await expect(startGrpc({ options: { host, token: 's3cret-token' } })).rejects.toMatchObject({
    id: 'api.insecureListen',
    publicMessage: expect.stringContaining('--grpc-cert'),
    details: { host, option: 'tls' },
  });
});
