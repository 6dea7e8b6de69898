import type { Bus } from '@samovar/bus';
import { background, CanceledError, type Context, withCancel } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { describe, expect, it, vi } from 'vitest';
import { as, BoilWaterCommand, canceled, guestOf } from './messages.ts';

export function transactionContract(makeBus: () => Bus): void {
  describe('inTransaction', () => {
    committing(makeBus);
    knowing(makeBus);
    rollingBack(makeBus);
    retrying(makeBus);
  });
  describe('afterCommit', () => {
    outside(makeBus);
    failingCallbacks(makeBus);
  });
}

function committing(makeBus: () => Bus): void {
  it('resolves as fn does, then runs what waits for the commit, in order', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    const result = bus.inTransaction(as('ann'), async (ctx) => {
      bus.afterCommit(ctx, () => void steps.push('first'));
      await new Promise(setImmediate);
      bus.afterCommit(ctx, () => void steps.push('second'));
      steps.push(`work for ${guestOf(ctx)}`);
      return 7;
    });
    expect(await result).toBe(7);
    expect(steps).toEqual(['work for ann', 'first', 'second']);
  });

  it('joins the transaction that the context carries, also through a handler', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    bus.addHandler(BoilWaterCommand, (ctx) =>
      bus.inTransaction(ctx, async (inner) => {
        bus.afterCommit(inner, () => void steps.push('committed'));
        steps.push('inner');
      }),
    );
    await bus.inTransaction(background, async (ctx) => {
      await bus.dispatch(ctx, BoilWaterCommand, { litres: 1 });
      steps.push('outer');
    });
    expect(steps).toEqual(['inner', 'outer', 'committed']);
  });

  it('keeps transactions of different calls apart', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    const transaction = (name: string, end: () => void) =>
      bus.inTransaction(background, async (ctx) => {
        bus.afterCommit(ctx, () => void steps.push(name));
        await new Promise(setImmediate);
        end();
      });
    const spilt = transaction('spilt', () => raise('spilt'));
    await Promise.all([transaction('served', () => {}), expect(spilt).rejects.toThrow('spilt')]);
    expect(steps).toEqual(['served']);
  });

  it('does not begin in a context that is done', async () => {
    const fn = vi.fn(async () => {});
    await expect(makeBus().inTransaction(canceled(), fn)).rejects.toThrow(CanceledError);
    expect(fn).not.toHaveBeenCalled();
  });
}

function knowing(makeBus: () => Bus): void {
  it('knows whether a context carries a transaction that is open', async () => {
    const bus = makeBus();
    expect(bus.isInTransaction(background)).toBe(false);
    const over = await bus.inTransaction(background, async (ctx) => {
      expect([bus.isInTransaction(ctx), bus.isInTransaction(background)]).toEqual([true, false]);
      bus.afterCommit(ctx, () => expect(bus.isInTransaction(ctx)).toBe(false));
      return ctx;
    });
    expect(bus.isInTransaction(over)).toBe(false);
  });
}

function rollingBack(makeBus: () => Bus): void {
  it('rejects as fn does, and drops what waits for the commit', async () => {
    const bus = makeBus();
    const dropped = vi.fn();
    const error = new Error('spilt');
    let over = background;
    const attempt = bus.inTransaction(background, async (ctx) => {
      over = ctx;
      await bus.inTransaction(ctx, async (inner) => bus.afterCommit(inner, dropped));
      throw error;
    });
    await expect(attempt).rejects.toBe(error);
    bus.afterCommit(over, dropped);
    expect(dropped).not.toHaveBeenCalled();
  });

  it('leaves it to the outermost fn what a nested failure means', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    await bus.inTransaction(background, async (ctx) => {
      const nested = bus.inTransaction(ctx, async (inner) => {
        bus.afterCommit(inner, () => void steps.push('committed'));
        throw new Error('handled');
      });
      await nested.catch((error: Error) => steps.push(error.message));
    });
    expect(steps).toEqual(['handled', 'committed']);
  });

  it('begins a new transaction in the context of one that is over', async () => {
    const bus = makeBus();
    const callback = vi.fn();
    let over = background;
    const failed = bus.inTransaction(background, async (ctx) => {
      over = ctx;
      throw new Error('spilt');
    });
    await expect(failed).rejects.toThrow('spilt');
    await bus.inTransaction(over, async (ctx) => {
      bus.afterCommit(ctx, callback);
      expect(callback).not.toHaveBeenCalled();
    });
    expect(callback).toHaveBeenCalledOnce();
  });
}

function retrying(makeBus: () => Bus): void {
  const conflict = () => new DomainError('aborted', 'kitchen.conflict', { publicMessage: 'two cooks' });

  it('is done again after status aborted, when asked for', async () => {
    const bus = makeBus();
    const committed: number[] = [];
    const attempts: Context[] = [];
    const result = await bus.inTransaction(
      background,
      async (ctx) => {
        const attempt = attempts.push(ctx);
        bus.afterCommit(ctx, () => void committed.push(attempt));
        if (attempt < 3) throw conflict();
        return attempt;
      },
      { retry: true },
    );
    expect(result).toBe(3);
    expect(committed).toEqual([3]);
  });

  it.each([
    ['not asked for', conflict(), {}],
    ['the error is another', new Error('broken'), { retry: true }],
  ])('is not done again where %s', async (_, error, options) => {
    const fn = vi.fn(() => Promise.reject(error));
    await expect(makeBus().inTransaction(background, fn, options)).rejects.toBe(error);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('is done again as a whole only', async () => {
    const bus = makeBus();
    const inner = vi.fn(() => Promise.reject(conflict()));
    const outer = vi.fn((ctx: Context) => bus.inTransaction(ctx, inner, { retry: true }));
    await expect(bus.inTransaction(background, outer)).rejects.toMatchObject({ status: 'aborted' });
    expect([outer.mock.calls.length, inner.mock.calls.length]).toEqual([1, 1]);
  });

  it('gives up after ten attempts, with the last error', async () => {
    const errors: Error[] = [];
    const attempt = makeBus().inTransaction(
      background,
      async () => {
        const error = conflict();
        errors.push(error);
        throw error;
      },
      { retry: true },
    );
    const last = await attempt.catch((error: unknown) => error);
    expect(errors).toHaveLength(10);
    expect(last).toBe(errors[9]);
  });

  it('gives up when its context is done', async () => {
    const { ctx, cancel } = withCancel(background);
    const fn = vi.fn(async () => {
      cancel();
      throw conflict();
    });
    await expect(makeBus().inTransaction(ctx, fn, { retry: true })).rejects.toThrow(CanceledError);
    expect(fn).toHaveBeenCalledOnce();
  });
}

function outside(makeBus: () => Bus): void {
  it('calls at once outside of a transaction', () => {
    const callback = vi.fn();
    makeBus().afterCommit(background, callback);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('calls at once when the transaction is committed already, also from another callback', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    let over = background;
    await bus.inTransaction(background, async (ctx) => {
      over = ctx;
      bus.afterCommit(ctx, () => {
        bus.afterCommit(ctx, () => void steps.push('nested'));
        steps.push('first');
      });
    });
    bus.afterCommit(over, () => void steps.push('late'));
    expect(steps).toEqual(['nested', 'first', 'late']);
  });
}

function failingCallbacks(makeBus: () => Bus): void {
  it('lets a callback that throws or rejects undo nothing and hide no other', async () => {
    const bus = makeBus();
    const other = vi.fn();
    const result = bus.inTransaction(background, async (ctx) => {
      bus.afterCommit(ctx, () => {
        throw new Error('cache');
      });
      bus.afterCommit(ctx, () => Promise.reject(new Error('async cache')));
      bus.afterCommit(ctx, other);
      return 'kept';
    });
    expect(await result).toBe('kept');
    expect(other).toHaveBeenCalledOnce();
    expect(() =>
      bus.afterCommit(background, () => {
        throw new Error('cache');
      }),
    ).not.toThrow();
  });
}

function raise(message: string): never {
  throw new Error(message);
}
