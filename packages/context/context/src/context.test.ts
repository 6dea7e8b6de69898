import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  background,
  CanceledError,
  type Context,
  contextKey,
  DeadlineExceededError,
  throwIfDone,
  whenDone,
  withCancel,
  withSignal,
  withTimeout,
  withValue,
} from './context.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('values', () => {
  const user = contextKey('user', 'nobody');

  it('are the nearest ancestor’s, or the default', () => {
    const ann = withValue(background, user, 'ann');
    const bob = withValue(withCancel(ann).ctx, user, 'bob');
    expect([background, ann, bob, withTimeout(bob, 5).ctx].map((ctx) => ctx.value(user))).toEqual([
      'nobody',
      'ann',
      'bob',
      'bob',
    ]);
  });

  it('belong to the key, not to its name', () => {
    expect(withValue(background, user, 'ann').value(contextKey('user', 'other'))).toBe('other');
  });
});

describe('cancel', () => {
  it('ends the context and its children, not the parent', () => {
    const parent = withCancel(background);
    const { ctx, cancel } = withCancel(parent.ctx);
    const child = withValue(withCancel(ctx).ctx, contextKey('k', 0), 1);
    expect(() => throwIfDone(child)).not.toThrow();
    cancel();
    expect(() => throwIfDone(ctx)).toThrow(CanceledError);
    expect(() => throwIfDone(child)).toThrow(CanceledError);
    expect(() => throwIfDone(parent.ctx)).not.toThrow();
  });

  it('reaches signals asked for before and after, with one reason', () => {
    const scope = withCancel(background);
    const before = withCancel(scope.ctx).ctx;
    const after = withCancel(scope.ctx).ctx;
    const heard = vi.fn();
    before.signal.addEventListener('abort', heard);
    scope.cancel(new Error('enough'));
    scope.cancel(new Error('later'));
    expect(heard).toHaveBeenCalledOnce();
    for (const { signal } of [before, after, scope.ctx]) {
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toBe(before.signal.reason);
    }
    expect(before.signal.reason).toMatchObject({ id: 'context.canceled', cause: new Error('enough') });
  });

  it('happens on disposal', () => {
    let ctx: Context;
    {
      using scope = withCancel(background);
      ctx = scope.ctx;
      expect(() => throwIfDone(ctx)).not.toThrow();
    }
    expect(() => throwIfDone(ctx)).toThrow(CanceledError);
  });

  it('is one function, which does without its scope', () => {
    const scope = withTimeout(background, 100);
    const { ctx, cancel } = scope;
    expect(scope.cancel).toBe(cancel);
    [new Error('enough')].forEach(cancel);
    expect(ctx.signal.reason).toMatchObject({ cause: new Error('enough') });
  });

  it('gives one signal, however often it is asked for', () => {
    const { ctx } = withCancel(background);
    expect(ctx.signal).toBe(ctx.signal);
    expect(withValue(ctx, contextKey('k', 0), 1).signal).toBe(ctx.signal);
    expect(background.signal.aborted).toBe(false);
  });
});

describe('deadline', () => {
  it('is never later than the parent’s', () => {
    const outer = withTimeout(background, 100).ctx;
    expect(outer.deadline).toEqual(new Date(Date.now() + 100));
    expect(withTimeout(outer, 50).ctx.deadline).toEqual(new Date(Date.now() + 50));
    expect(withTimeout(outer, 500).ctx.deadline).toEqual(outer.deadline);
    expect(withCancel(outer).ctx.deadline).toEqual(outer.deadline);
    expect(withTimeout(background, Number.POSITIVE_INFINITY).ctx.deadline).toBeUndefined();
    expect(background.deadline).toBeUndefined();
  });

  it('ends the context without anybody listening', () => {
    const { ctx } = withTimeout(background, 100);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(99);
    expect(() => throwIfDone(ctx)).not.toThrow();
    vi.advanceTimersByTime(1);
    expect(() => throwIfDone(ctx)).toThrow(DeadlineExceededError);
    expect(ctx.signal.aborted).toBe(true);
  });

  it('aborts the signal of the context and its children', () => {
    const { ctx } = withTimeout(background, 100);
    const child = withCancel(ctx).ctx;
    expect(child.signal.aborted).toBe(false);
    vi.advanceTimersByTime(100);
    expect(child.signal.reason).toBeInstanceOf(DeadlineExceededError);
  });

  it('may be months away', () => {
    const { ctx } = withTimeout(background, 2 ** 33);
    const { signal } = ctx;
    vi.advanceTimersByTime(2 ** 33 - 1);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  it('does not move with the wall clock', () => {
    const { ctx } = withTimeout(background, 100);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(() => throwIfDone(ctx)).not.toThrow();
  });

  it.each([-1, Number.NaN])('cannot be %s ms away', (ms) => {
    expect(() => withTimeout(background, ms)).toThrow(RangeError);
  });
});

describe('withSignal', () => {
  it('ends with the signal', () => {
    const controller = new AbortController();
    const ctx = withSignal(background, controller.signal);
    const late = withSignal(background, controller.signal);
    const { signal } = ctx;
    controller.abort(new Error('hung up'));
    expect(signal.reason).toMatchObject({ id: 'context.canceled', cause: new Error('hung up') });
    expect(() => throwIfDone(late)).toThrow(CanceledError);
  });

  it('ends with the parent', () => {
    const scope = withCancel(background);
    const controller = new AbortController();
    const ctx = withSignal(scope.ctx, controller.signal);
    expect(ctx.signal.aborted).toBe(false);
    scope.cancel();
    expect(ctx.signal.aborted).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('takes a TimeoutError for a deadline', () => {
    const controller = new AbortController();
    controller.abort(new DOMException('late', 'TimeoutError'));
    expect(() => throwIfDone(withSignal(background, controller.signal))).toThrow(DeadlineExceededError);
  });
});

describe('whenDone', () => {
  it('waits for the end, whatever it comes of', async () => {
    const { ctx, cancel } = withCancel(background);
    let isOver = false;
    const waiting = whenDone(ctx).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(false);
    cancel();
    await waiting;
    await whenDone(ctx);
    const late = whenDone(withTimeout(background, 100).ctx);
    vi.advanceTimersByTime(100);
    await late;
  });

  it('leaves nothing behind on a parent, once its scope is disposed', () => {
    const controller = new AbortController();
    const parent = withSignal(background, controller.signal);
    {
      using scope = withCancel(parent);
      void whenDone(scope.ctx);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    }
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

describe('a disposed child', () => {
  it('leaves no listener and no timer behind', () => {
    const controller = new AbortController();
    const followed = withSignal(background, controller.signal);
    const timed = withTimeout(followed, 1_000).ctx;
    for (let i = 0; i < 100; i++) {
      using scope = withTimeout(timed, 500);
      scope.ctx.signal.addEventListener('abort', () => {});
      expect(vi.getTimerCount()).toBe(2);
    }
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('leaves a parent that is listened to listening', () => {
    const parent = withTimeout(background, 100);
    const { signal } = parent.ctx;
    withCancel(parent.ctx).cancel();
    {
      using scope = withCancel(parent.ctx);
      expect(scope.ctx.signal.aborted).toBe(false);
    }
    vi.advanceTimersByTime(100);
    expect(signal.aborted).toBe(true);
  });
});

describe('a context of somebody else’s making', () => {
  it('is followed by its signal', () => {
    const controller = new AbortController();
    const foreign: Context = {
      signal: controller.signal,
      deadline: undefined,
      value: (key) => key.defaultValue,
    };
    const child = withValue(withCancel(foreign).ctx, contextKey('k', 0), 1);
    const { signal } = child;
    expect(() => throwIfDone(foreign)).not.toThrow();
    controller.abort();
    expect(() => throwIfDone(foreign)).toThrow(CanceledError);
    expect(() => throwIfDone(child)).toThrow(CanceledError);
    expect(signal.aborted).toBe(true);
  });
});
