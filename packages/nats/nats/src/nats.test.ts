import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { natsOptions, parseNatsUrl } from './nats.ts';

const refused = (why: string) => new Error(`refused: ${why}`);
const addressOf = (url: string) => parseNatsUrl(url, refused);

describe('a NATS URL', () => {
  it.each([
    ['nats://a:4222', { servers: ['a:4222'] }],
    ['nats://a', { servers: ['a:4222'] }],
    ['NATS://a:1/', { servers: ['a:1'] }],
    ['nats://a:4222,b,[::1]:5', { servers: ['a:4222', 'b:4222', '[::1]:5'] }],
    ['nats://@a', { servers: ['a:4222'] }],
    ['nats://me:x:y@a', { servers: ['a:4222'], user: 'me', pass: 'x:y' }],
    ['nats://me:@a', { servers: ['a:4222'], user: 'me', pass: '' }],
    ['nats://me:p%40ss%3A@a,b', { servers: ['a:4222', 'b:4222'], user: 'me', pass: 'p@ss:' }],
    ['nats://me:x@a,me:x@b', { servers: ['a:4222', 'b:4222'], user: 'me', pass: 'x' }],
    ['nats://s3cret@a', { servers: ['a:4222'], token: 's3cret' }],
    ['tls://a', { servers: ['a:4222'], tls: true }],
    ['nats://a?tls=true', { servers: ['a:4222'], tls: true }],
    ['nats://a?tls=%2Fetc%2Fca.pem', { servers: ['a:4222'], tls: '/etc/ca.pem' }],
  ])('%s names servers, credentials and encryption', (url, address) => {
    expect(addressOf(url)).toEqual(address);
  });

  it.each([
    'nats:a:4222',
    'nats://',
    'nats://a,',
    'nats://secret@',
    'nats://a:x',
    'nats://a:0',
    'nats://a:99999',
    'nats://me:secret@a b',
    'nats://me:secret@a/path',
    'nats://me:secret@a?x=1',
    'nats://me:secret@a?tls=',
    'nats://me:secret@a,you:secret@b',
    'nats://me:sec%ZZret@a',
  ])('%s is refused without repeating what is secret', (url) => {
    expect(() => addressOf(url)).toThrow(/^refused: (is|has|names) /);
    expect(() => addressOf(url)).not.toThrow(/secret|sec%ZZret/);
  });
});

describe('the options of a connection', () => {
  const times = { timeout: 5, maxReconnectAttempts: -1, reconnectTimeWait: 100 };
  const forever = { name: 'samovar', ...times, noAsyncTraces: true };
  const checkServerIdentity = expect.any(Function);

  it.each([
    ['nats://a', { servers: ['a:4222'] }],
    ['nats://me:@a', { servers: ['a:4222'], user: 'me', pass: '' }],
    ['nats://s3cret@a', { servers: ['a:4222'], token: 's3cret' }],
    ['tls://a', { servers: ['a:4222'], tls: { checkServerIdentity } }],
    ['tls://a?tls=ca.pem', { servers: ['a:4222'], tls: { caFile: 'ca.pem', checkServerIdentity } }],
  ])('are those of %s, and come back for ever', (url, options) => {
    expect(natsOptions(addressOf(url), 5)).toEqual({ ...forever, ...options });
  });

  it('take the certificate of a server that the URL names, whatever the client takes it for', () => {
    const check = natsOptions(addressOf('tls://a.example,[::1]:5,127.0.0.1'), 5).tls?.checkServerIdentity;
    const named = (subjectaltname: string) => check?.('localhost', { subjectaltname, subject: {} } as PeerCertificate);
    expect(named('DNS:a.example')).toBeUndefined();
    expect(named('IP Address:127.0.0.1')).toBeUndefined();
    expect(named('IP Address:0:0:0:0:0:0:0:1')).toBeUndefined();
    expect(named('DNS:localhost')).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});
