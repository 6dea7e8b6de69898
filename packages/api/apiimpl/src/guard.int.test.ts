import { request } from 'node:http';
import { FakeBus } from '@samovar/bustest';
import { describe, expect, it } from 'vitest';
import { LendBookCommand, startApi } from '../testing.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: { id?: string } | undefined;
}

/** POSTs a command with these headers, as no fetch would let us. */
async function lend(
  headers: Record<string, string>,
  allowedHosts: string[] = [],
): Promise<Answer & { handled: boolean }> {
  const bus = new FakeBus();
  bus.addHandler(LendBookCommand, () => {});
  const { port } = await startApi({ bus, options: { allowedHosts } });
  const own = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v.replace('PORT', String(port))]));
  const all = { host: `localhost:${port}`, 'content-type': 'application/json', ...own };
  const answer = await new Promise<Answer>((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/v1/library/LendBookCommand',
      headers: all,
    });
    sent.once('error', reject).once('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body: text ? JSON.parse(text) : undefined });
    });
    sent.end('{"isbn":"978"}');
  });
  return { ...answer, handled: bus.dispatched.length > 0 };
}

describe('the Host header', () => {
  it.each(['localhost:PORT', 'LocalHost', '127.0.0.1:PORT', '127.8.9.1', '[::1]:PORT', '127.1'])(
    'may be a name of loopback: %s',
    async (host) => expect(await lend({ host })).toMatchObject({ status: 204, handled: true }),
  );

  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '192.168.0.1',
    '0.0.0.0',
    '[::2]',
    'localhost@evil.example',
    'localhost:80:80',
  ])('may be no other: %s', async (host) => {
    expect(await lend({ host })).toMatchObject({ status: 421, body: { id: 'api.hostNotAllowed' }, handled: false });
  });

  it('may be one that is allowed', async () => {
    expect(await lend({ host: 'Samovar.example:PORT' }, ['samovar.example'])).toMatchObject({ handled: true });
    expect(await lend({ host: 'other.example' }, ['samovar.example'])).toMatchObject({ status: 421, handled: false });
  });
});

describe('a web page', () => {
  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    { origin: 'http://127.0.0.1:PORT' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('of another origin is refused: %o', async (headers) => {
    expect(await lend(headers)).toMatchObject({ status: 403, body: { id: 'api.crossSite' }, handled: false });
  });

  it.each([{ origin: 'http://localhost:PORT', 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])(
    'of this origin may ask, and so may the address bar: %o',
    async (headers) => {
      expect(await lend(headers)).toMatchObject({ status: 204, handled: true });
    },
  );

  it('gets no permission to read or to send more', async () => {
    const { headers } = await lend({ origin: 'http://localhost:PORT' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
