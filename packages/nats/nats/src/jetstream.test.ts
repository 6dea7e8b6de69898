import { JetStreamApiError } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { codeOf, isNotEnabled } from './jetstream.ts';

const notFound = new JetStreamApiError({ code: 404, err_code: 10_037, description: 'no message found' });

describe('what the client throws', () => {
  it.each([
    ["JetStream's answer", notFound, 10_037],
    ['what it has caused', new Error('failed', { cause: notFound }), 10_037],
    ['a status of HTTP', Object.assign(new Error('bad'), { code: 400 }), undefined],
    ['an error of the system', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), undefined],
    ['no error', { code: 10_037 }, undefined],
  ])('has the code of %s', (_, thrown, code) => {
    expect(codeOf(thrown)).toBe(code);
  });

  it('tells that there is no JetStream', () => {
    expect(isNotEnabled(Object.assign(new Error('no'), { name: 'JetStreamNotEnabled' }))).toBe(true);
    expect(isNotEnabled(notFound)).toBe(false);
  });
});
