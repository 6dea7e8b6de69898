import { Bus } from '@samovar/bus';
import { busContract } from '@samovar/bustest/contract';
import { background, withTimeout } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { command } from '@samovar/message';
import { Logger } from '@samovar/server';
import { Container } from 'inversify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { InProcessBus } from './bus.ts';
import { busModule } from './module.ts';

busContract('InProcessBus', () => new InProcessBus(() => {}));

const BoilWaterCommand = command('kitchen.BoilWaterCommand', z.object({ litres: z.number() }));

describe('dispatch', () => {
  it('runs the handler before it returns', () => {
    const bus = new InProcessBus(() => {});
    const handler = vi.fn();
    bus.addHandler(BoilWaterCommand, handler);
    void bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    expect(handler).toHaveBeenCalledOnce();
  });

  it('hands on the handler’s own promise', () => {
    const bus = new InProcessBus(() => {});
    const promise = Promise.resolve();
    bus.addHandler(BoilWaterCommand, () => promise);
    expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).toBe(promise);
  });
});

describe('afterCommit', () => {
  it('reports what callbacks throw', async () => {
    const errors: unknown[] = [];
    const bus = new InProcessBus((error) => errors.push(error));
    await bus.inTransaction(background, async (ctx) => {
      bus.afterCommit(ctx, () => {
        throw new Error('cache');
      });
      bus.afterCommit(ctx, () => Promise.reject(new Error('async cache')));
    });
    await vi.waitFor(() => expect(errors).toEqual([new Error('cache'), new Error('async cache')]));
  });
});

describe('inTransaction', () => {
  const conflict = new DomainError('aborted', 'kitchen.conflict', { publicMessage: 'two cooks' });

  beforeEach(() => void vi.spyOn(Math, 'random'));
  afterEach(() => vi.restoreAllMocks());

  it('waits a random time within growing bounds before it tries again', async () => {
    const starts: number[] = [];
    vi.mocked(Math.random).mockReturnValue(1);
    const attempt = new InProcessBus(() => {}).inTransaction(
      background,
      async () => {
        starts.push(performance.now());
        if (starts.length < 5) throw conflict;
      },
      { retry: true },
    );
    await attempt;
    const pauses = starts.slice(1).map((start, i) => start - (starts[i] as number));
    // A timer may fire a millisecond early.
    for (const [i, bound] of [5, 10, 20, 40].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(bound - 1);
    expect(Math.random).toHaveBeenCalledTimes(4);
  });

  it('ends its wait with its context', async () => {
    vi.mocked(Math.random).mockReturnValue(1e6);
    using scope = withTimeout(background, 20);
    const fn = vi.fn(() => Promise.reject(conflict));
    const attempt = new InProcessBus(() => {}).inTransaction(scope.ctx, fn, { retry: true });
    await expect(attempt).rejects.toMatchObject({ status: 'deadline_exceeded' });
    expect(fn).toHaveBeenCalledOnce();
  });
});

describe('busModule', () => {
  it('binds one bus, which reports to the log', () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), child: vi.fn() };
    const container = new Container();
    container.bind(Logger).toConstantValue(logger);
    container.load(busModule);
    const bus = container.get(Bus);
    expect(container.get(Bus)).toBe(bus);
    const err = new Error('cache');
    bus.afterCommit(background, () => {
      throw err;
    });
    expect(logger.error.mock.calls).toEqual([['a callback after a commit failed', { err }]]);
  });
});
