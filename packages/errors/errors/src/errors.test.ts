import { createContext, runInContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { DomainError } from './errors.ts';

class TeaSpiltError extends DomainError {
  constructor(litres: number, options: { cause?: unknown } = {}) {
    super('data_loss', 'teapot.teaSpilt', { publicMessage: 'the tea is gone', details: { litres }, ...options });
  }
}

describe('DomainError', () => {
  it('carries status, id, public message and details', () => {
    const error = new TeaSpiltError(2);
    expect(error).toMatchObject({
      name: 'TeaSpiltError',
      message: 'the tea is gone',
      status: 'data_loss',
      id: 'teapot.teaSpilt',
      publicMessage: 'the tea is gone',
      details: { litres: 2 },
    });
    expect('cause' in error).toBe(false);
  });

  it('keeps its cause and a message of its own', () => {
    const cause = new Error('cat');
    expect(new TeaSpiltError(1, { cause }).cause).toBe(cause);
    const error = new DomainError('internal', 'teapot.broken', { publicMessage: 'broken', message: 'handle came off' });
    expect(error.message).toBe('handle came off');
    expect(error.publicMessage).toBe('broken');
  });

  it.each(['teaSpilt', 'Teapot.spilt', 'teapot.Spilt', 'teapot.', 'tea-pot.spilt', 'a.b.c'])(
    'refuses the id %s',
    (id) => {
      expect(() => new DomainError('internal', id, { publicMessage: '' })).toThrow(TypeError);
    },
  );
});

describe('DomainError.is', () => {
  it('recognises subclasses and nothing else', () => {
    expect(DomainError.is(new TeaSpiltError(1))).toBe(true);
    for (const other of [new Error('x'), null, undefined, 'teapot.teaSpilt', { id: 'teapot.teaSpilt' }]) {
      expect(DomainError.is(other)).toBe(false);
    }
  });

  it('recognises an error of another copy of this module', async () => {
    vi.resetModules();
    const copy = await import('./errors.ts');
    const foreign = new copy.DomainError('aborted', 'teapot.dropped', { publicMessage: 'dropped' });
    expect(copy.DomainError).not.toBe(DomainError);
    expect(foreign).not.toBeInstanceOf(DomainError);
    expect(DomainError.is(foreign)).toBe(true);
    expect(DomainError.from(foreign)).toBe(foreign);
  });
});

describe('DomainError.from', () => {
  it('hides what is not a DomainError, and keeps it as the cause', () => {
    const secret = new Error('password is hunter2');
    const error = DomainError.from(secret);
    expect(error).toMatchObject({ status: 'internal', id: 'errors.internal', publicMessage: 'internal error' });
    expect(error.cause).toBe(secret);
    expect(JSON.stringify([error.publicMessage, error.details])).not.toContain('hunter2');
  });

  it.each([undefined, null, 7, 'text', runInContext('new Error("elsewhere")', createContext())])(
    'takes anything thrown: %s',
    (thrown) => {
      expect(DomainError.from(thrown)).toMatchObject({ status: 'internal', cause: thrown });
    },
  );
});
