import type { Bus } from '@samovar/bus';
import { background, CanceledError, withCancel } from '@samovar/context';
import { describe, expect, it, vi } from 'vitest';
import { as, canceled, guestOf, TeaOrdered, TeaServed } from './messages.ts';

const order = { table: '7' };

export function durableEventContract(makeBus: () => Bus): void {
  describe('publish of an event that names a stream', () => {
    ownTransaction(makeBus);
    joinedTransaction(makeBus);
    refusals(makeBus);
  });
}

function ownTransaction(makeBus: () => Bus): void {
  it('runs the listeners in order in one transaction, for the caller', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    for (const name of ['a', 'b']) {
      bus.addEventListener(TeaOrdered, async (ctx, { table }) => {
        bus.afterCommit(ctx, () => void steps.push(`${name} committed`));
        await new Promise(setImmediate);
        steps.push(`${name}: ${table} for ${guestOf(ctx)}`);
      });
    }
    await bus.publish(as('ann'), TeaOrdered, order);
    expect(steps).toEqual(['a: 7 for ann', 'b: 7 for ann', 'a committed', 'b committed']);
  });

  it('rolls back at the first failure, which reaches the publisher', async () => {
    const bus = makeBus();
    const [dropped, after] = [vi.fn(), vi.fn()];
    const error = new Error('burnt');
    bus.addEventListener(TeaOrdered, (ctx) => bus.afterCommit(ctx, dropped));
    bus.addEventListener(TeaOrdered, () => Promise.reject(error));
    bus.addEventListener(TeaOrdered, after);
    await expect(bus.publish(background, TeaOrdered, order)).rejects.toBe(error);
    expect([dropped.mock.calls, after.mock.calls]).toEqual([[], []]);
  });

  it('needs no listeners', async () => {
    await expect(makeBus().publish(background, TeaOrdered, order)).resolves.toBeUndefined();
  });

  it('takes what listeners publish, dispatch or run in a transaction into its own', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    bus.addEventListener(TeaOrdered, async (ctx, { table }) => {
      bus.afterCommit(ctx, () => void steps.push(`${table} committed`));
      if (table === '7') await bus.publish(ctx, TeaOrdered, { table: '8' });
      else await bus.publish(ctx, TeaServed, { cups: 1 });
    });
    bus.addEventListener(TeaServed, (ctx) => bus.inTransaction(ctx, async () => void steps.push('served')));
    await bus.publish(background, TeaOrdered, order);
    expect(steps).toEqual(['served', '7 committed', '8 committed']);
  });
}

function joinedTransaction(makeBus: () => Bus): void {
  it('joins the transaction that the context carries, whose commit counts', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    bus.addEventListener(TeaOrdered, (ctx) => bus.afterCommit(ctx, () => void steps.push('committed')));
    await bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, TeaOrdered, order);
      steps.push('published');
    });
    expect(steps).toEqual(['published', 'committed']);
    const attempt = bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, TeaOrdered, order);
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    expect(steps).toHaveLength(2);
  });

  it('leaves it to the caller whose transaction it joined what a failure means', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    bus.addEventListener(TeaOrdered, (ctx) => bus.afterCommit(ctx, () => void steps.push('committed')));
    bus.addEventListener(TeaOrdered, () => Promise.reject(new Error('handled')));
    await bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, TeaOrdered, order).catch((error: Error) => steps.push(error.message));
    });
    expect(steps).toEqual(['handled', 'committed']);
  });
}

function refusals(makeBus: () => Bus): void {
  it.each([
    ['no stream name', { table: 'by the window' }, { id: 'eda.invalidStream' }],
    ['data that is not JSON', { table: '7', bill: 1n }, { id: 'eda.dataEncoding' }],
  ])('is refused for %s before any listener runs', async (_, data, expected) => {
    const bus = makeBus();
    const listener = vi.fn();
    bus.addEventListener(TeaOrdered, listener);
    await expect(bus.publish(background, TeaOrdered, data)).rejects.toMatchObject(expected);
    expect(listener).not.toHaveBeenCalled();
  });

  it('is refused in a context that is done, and stops where it ends between two listeners', async () => {
    const bus = makeBus();
    const { ctx, cancel } = withCancel(background);
    const [first, second] = [vi.fn(() => cancel()), vi.fn()];
    bus.addEventListener(TeaOrdered, first);
    bus.addEventListener(TeaOrdered, second);
    await expect(bus.publish(canceled(), TeaOrdered, order)).rejects.toThrow(CanceledError);
    expect(first).not.toHaveBeenCalled();
    await expect(bus.publish(ctx, TeaOrdered, order)).rejects.toThrow(CanceledError);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 0]);
  });
}
