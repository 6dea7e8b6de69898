import { spawnSync } from 'node:child_process';

/** A new key, and a certificate for 127.0.0.1 that it signs itself, as PEM. */
export function certificate(): { readonly cert: string; readonly key: string } {
  const about = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...about, '-keyout', '-', '-out', '-'];
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl has failed: ${stderr}`);
  const at = stdout.indexOf('-----BEGIN CERTIFICATE');
  return { cert: stdout.slice(at), key: stdout.slice(0, at) };
}

/** Whether tests with {@link certificate} are to be skipped. @throws {Error} where they must not be. */
export function opensslLacking(): boolean {
  if (spawnSync('openssl', ['version']).status === 0) return false;
  if (process.env.CI) throw new Error('openssl is not installed');
  console.warn('SKIPPED: openssl is not installed');
  return true;
}
