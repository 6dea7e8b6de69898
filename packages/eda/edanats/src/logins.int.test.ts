import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx } from '@samovar/context';
import { natsLacking } from '@samovar/edatest/nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { numbersOf, ownServer, pour, read } from '../testing.ts';
import { connectNats } from './edanats.ts';

const secret = 's3cr:t@/%';

/** A key and a certificate for an address that it signs itself. */
function certificate(address = '127.0.0.1'): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const about = ['-subj', '/CN=localhost', '-addext', `subjectAltName=IP:${address}`, '-days', '2'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...about, '-keyout', key, '-out', cert];
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl has failed: ${stderr}`);
  return { cert, key };
}

function opensslLacking(): boolean {
  if (spawnSync('openssl', ['version']).status === 0) return false;
  if (process.env.CI) throw new Error('openssl is not installed');
  console.warn('SKIPPED: openssl is not installed');
  return true;
}

async function works(url: string): Promise<void> {
  const conn = await connectNats(url, { logger: null });
  onTestFinished(() => conn.close());
  await conn.publish(ctx, 'cups.1', pour(1));
  expect(numbersOf(await read(conn, 'cups.1'))).toEqual([1]);
}

async function isRefused(url: string, unsaid: string): Promise<void> {
  const error: unknown = await connectNats(url, { logger: null }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ id: 'eda.logUnavailable', message: expect.stringMatching(/127\.0\.0\.1:\d+ .*: ./) });
  for (let said: unknown = error; said instanceof Error; said = said.cause) expect(said.stack).not.toContain(unsaid);
}

describe.skipIf(natsLacking() !== undefined)('a NATS server that asks who connects', () => {
  it.each([
    ['a user and password', `user: me, password: "${secret}"`, `me:${encodeURIComponent(secret)}`, 'me:wr0ng'],
    ['a token', `token: "${secret}"`, encodeURIComponent(secret), 'wr0ng'],
  ])('takes %s, which nobody is told', async (_, authorization, right, wrong) => {
    const own = await ownServer(`authorization { ${authorization} }`);
    const as = (login: string) => own.url.replace('//', `//${login}@`);
    await works(as(right));
    await isRefused(as(wrong), 'wr0ng');
    await isRefused(own.url, secret);
  });

  it('without JetStream for whom connects is told from one that has it', async () => {
    const own = await ownServer('accounts { a { users: [{ user: me, password: x }] } }');
    const opening = connectNats(own.url.replace('//', '//me:x@'), { logger: null });
    await expect(opening).rejects.toMatchObject({
      id: 'eda.logUnavailable',
      message: expect.stringMatching(/^the NATS server at 127\.0\.0\.1:\d+ has no JetStream: start it with -js$/),
    });
  });

  it.skipIf(opensslLacking())('is spoken to encrypted, if it is who it should be', async () => {
    const { cert, key } = certificate();
    const own = await ownServer(
      `tls { cert_file: "${cert}", key_file: "${key}" }\nauthorization { user: me, password: "${secret}" }`,
    );
    const login = own.url.replace('nats://', `tls://me:${encodeURIComponent(secret)}@`);
    await works(`${login}?tls=${encodeURIComponent(cert)}`);
    await isRefused(login, secret);
    const { cert: another } = certificate();
    await isRefused(`${login}?tls=${encodeURIComponent(another)}`, secret);
    const elsewhere = certificate('127.0.0.2');
    const impostor = await ownServer(`tls { cert_file: "${elsewhere.cert}", key_file: "${elsewhere.key}" }`);
    await isRefused(impostor.url.replace('nats:', 'tls:').concat(`?tls=${encodeURIComponent(elsewhere.cert)}`), secret);
    const plain = await ownServer();
    await isRefused(plain.url.replace('nats:', 'tls:'), secret);
  });
});
