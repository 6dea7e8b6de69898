import { type Bus, DuplicateHandlerError } from '@samovar/bus';
import { background, CanceledError, DeadlineExceededError, withCancel, withTimeout } from '@samovar/context';
import { event } from '@samovar/message';
import { describe, expect, it, vi } from 'vitest';
import { as, below, canceled, guestOf, here, TeaServed } from './messages.ts';

export function eventContract(makeBus: () => Bus): void {
  describe('publish', () => {
    delivery(makeBus);
    failures(makeBus);
  });
  describe('addEventListener', () => {
    registration(makeBus);
    changes(makeBus);
  });
}

function delivery(makeBus: () => Bus): void {
  it('calls the listeners in order, each after the one before has settled', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      bus.addEventListener(TeaServed, async (ctx, { cups }) => {
        steps.push(`${name}: ${cups} for ${guestOf(ctx)}`);
        await new Promise(setImmediate);
        steps.push(`${name} done`);
      });
    }
    bus.addEventListener(TeaServed, () => void steps.push('d'));
    await bus.publish(as('ann'), TeaServed, { cups: 2 });
    expect(steps).toEqual(['a: 2 for ann', 'a done', 'b: 2 for ann', 'b done', 'c: 2 for ann', 'c done', 'd']);
  });

  it('does nothing where nobody listens', async () => {
    await expect(makeBus().publish(background, TeaServed, { cups: 1 })).resolves.toBeUndefined();
  });

  it('begins no transaction', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    bus.addEventListener(TeaServed, (ctx) => {
      bus.afterCommit(ctx, () => void steps.push('at once'));
      steps.push('served');
    });
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(steps).toEqual(['at once', 'served']);
  });

  it('lets publications run side by side', async () => {
    const bus = makeBus();
    const gate = Promise.withResolvers<void>();
    const served: number[] = [];
    bus.addEventListener(TeaServed, async (_, { cups }) => {
      if (cups === 1) await gate.promise;
      served.push(cups);
    });
    const first = bus.publish(background, TeaServed, { cups: 1 });
    await bus.publish(background, TeaServed, { cups: 2 });
    gate.resolve();
    await first;
    expect(served).toEqual([2, 1]);
  });
}

function failures(makeBus: () => Bus): void {
  it.each([
    ['throw', () => raise('burnt')],
    ['rejection', () => Promise.reject(new Error('burnt'))],
  ])('stops at the first %s, and hands it to the publisher', async (_, fail) => {
    const bus = makeBus();
    const [before, after] = [vi.fn(), vi.fn()];
    bus.addEventListener(TeaServed, before);
    bus.addEventListener(TeaServed, fail);
    bus.addEventListener(TeaServed, after);
    await expect(bus.publish(background, TeaServed, { cups: 1 })).rejects.toThrow('burnt');
    expect(before).toHaveBeenCalledOnce();
    expect(after).not.toHaveBeenCalled();
  });

  it('is refused in a context that is done, listeners or not', async () => {
    const bus = makeBus();
    await expect(bus.publish(canceled(), TeaServed, { cups: 1 })).rejects.toThrow(CanceledError);
    const listener = vi.fn();
    bus.addEventListener(TeaServed, listener);
    await expect(bus.publish(canceled(), TeaServed, { cups: 1 })).rejects.toThrow(CanceledError);
    using late = withTimeout(background, 0);
    await expect(bus.publish(late.ctx, TeaServed, { cups: 1 })).rejects.toThrow(DeadlineExceededError);
    expect(listener).not.toHaveBeenCalled();
  });

  it('stops where its context ends between two listeners', async () => {
    const bus = makeBus();
    const { ctx, cancel } = withCancel(background);
    const second = vi.fn();
    bus.addEventListener(TeaServed, () => cancel());
    bus.addEventListener(TeaServed, second);
    await expect(bus.publish(ctx, TeaServed, { cups: 1 })).rejects.toThrow(CanceledError);
    expect(second).not.toHaveBeenCalled();
  });
}

function registration(makeBus: () => Bus): void {
  it('calls a function added twice twice, and disposes of one at a time', async () => {
    const bus = makeBus();
    const listener = vi.fn();
    const first = bus.addEventListener(TeaServed, listener);
    const second = bus.addEventListener(TeaServed, listener);
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(listener).toHaveBeenCalledTimes(2);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(listener).toHaveBeenCalledTimes(3);
    second[Symbol.dispose]();
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('refuses another event of a known name, and names both places', () => {
    const bus = makeBus();
    const Other = event(TeaServed.name, TeaServed.data as never);
    const place = here();
    const first = bus.addEventListener(TeaServed, () => {});
    const other = () => bus.addEventListener(Other, () => {});
    expect(other).toThrow(DuplicateHandlerError);
    expect(other).toThrow(new RegExp(`${below(place)}:\\d+, and again at .*${below(place, 2)}:`));
    first[Symbol.dispose]();
    expect(other).not.toThrow();
  });
}

function changes(makeBus: () => Bus): void {
  it('counts a listener added during a publication from the next one on', async () => {
    const bus = makeBus();
    const late = vi.fn();
    bus.addEventListener(TeaServed, () => {
      if (late.mock.calls.length === 0) bus.addEventListener(TeaServed, late);
    });
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(late).not.toHaveBeenCalled();
    await bus.publish(background, TeaServed, { cups: 2 });
    expect(late.mock.calls).toEqual([[background, { cups: 2 }]]);
  });

  it('lets a publication under way reach a listener removed meanwhile', async () => {
    const bus = makeBus();
    const removed = vi.fn();
    bus.addEventListener(TeaServed, () => registered[Symbol.dispose]());
    const registered = bus.addEventListener(TeaServed, removed);
    await bus.publish(background, TeaServed, { cups: 1 });
    await bus.publish(background, TeaServed, { cups: 2 });
    expect(removed.mock.calls).toEqual([[background, { cups: 1 }]]);
  });
}

function raise(message: string): never {
  throw new Error(message);
}
