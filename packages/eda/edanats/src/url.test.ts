import { describe, expect, it } from 'vitest';
import { parseUrl } from './url.ts';

describe('the URL of an event log on NATS', () => {
  it.each([
    ['nats://a:4222', { servers: ['a:4222'] }],
    ['nats://a', { servers: ['a:4222'] }],
    ['NATS://a:1/', { servers: ['a:1'] }],
    ['nats://a:4222,b,[::1]:5', { servers: ['a:4222', 'b:4222', '[::1]:5'] }],
    ['nats://me:p%40ss%3A@a,b', { servers: ['a:4222', 'b:4222'], user: 'me', pass: 'p@ss:' }],
    ['nats://me:x@a,me:x@b', { servers: ['a:4222', 'b:4222'], user: 'me', pass: 'x' }],
    ['nats://s3cret@a', { servers: ['a:4222'], token: 's3cret' }],
    ['tls://a', { servers: ['a:4222'], tls: true }],
    ['nats://a?tls=true', { servers: ['a:4222'], tls: true }],
    ['nats://a?tls=%2Fetc%2Fca.pem', { servers: ['a:4222'], tls: '/etc/ca.pem' }],
  ])('%s names servers, credentials and encryption', (url, address) => {
    expect(parseUrl(url)).toEqual(address);
  });

  it.each([
    'nats:a:4222',
    'nats://',
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
    const refused = expect.objectContaining({ id: 'eda.invalidArgument', details: { field: 'url' } });
    expect(() => parseUrl(url)).toThrow(refused);
    expect(() => parseUrl(url)).not.toThrow(/secret|sec%ZZret/);
  });
});
