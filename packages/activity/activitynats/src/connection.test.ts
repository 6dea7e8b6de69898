import { describe, expect, it } from 'vitest';
import { addressOf } from './connection.ts';

const checkServerIdentity = expect.any(Function);

describe('the address that a URL says', () => {
  it.each([
    ['nats://a', { servers: ['a'] }],
    ['NATS://a:4222/', { servers: ['a:4222'] }],
    ['nats://a:1,b:2,[::1]:3', { servers: ['a:1', 'b:2', '[::1]:3'] }],
    ['nats://ann:p%40ss%3A@a,b', { servers: ['a', 'b'], user: 'ann', pass: 'p@ss:' }],
    ['nats://ann:x:y@a', { servers: ['a'], user: 'ann', pass: 'x:y' }],
    ['nats://ann:@a,ann:@b', { servers: ['a', 'b'], user: 'ann', pass: '' }],
    ['nats://t%6Fken@a', { servers: ['a'], token: 'token' }],
    ['nats://@a', { servers: ['a'] }],
    ['tls://a', { servers: ['a'], tls: { checkServerIdentity } }],
    ['nats://a?tls=true', { servers: ['a'], tls: { checkServerIdentity } }],
    ['tls://a?tls=%2Fetc%2Fca.pem', { servers: ['a'], tls: { caFile: '/etc/ca.pem', checkServerIdentity } }],
  ])('%s', (url, address) => {
    expect(addressOf(url)).toEqual(address);
  });

  it.each([
    'http://a',
    'nats://',
    'nats://a,',
    'nats://a?x=1',
    'nats://secret@',
    'nats://secret:%zz@a',
    'nats://secret:x@a,secret:y@b',
  ])('is none in %s, and the error does not repeat credentials', (url) => {
    const invalid = { id: 'activity.invalidArgument', message: expect.not.stringContaining('secret') };
    expect(() => addressOf(url)).toThrow(expect.objectContaining(invalid));
  });
});
