import { background } from '@samovar/context';
import { describe, expect, it, vi } from 'vitest';
import { BoilWaterCommand, canceled, GetTeaQuery, TeaOrdered, TeaServed } from './contract/messages.ts';
import { busContract } from './contract.ts';
import { FakeBus } from './fake.ts';

busContract('FakeBus', () => new FakeBus());

describe('FakeBus', () => {
  it('records what is dispatched, as the caller sent it', async () => {
    const bus = new FakeBus();
    bus.addHandler(BoilWaterCommand, () => {});
    bus.use((ctx, _, __, next) => next(ctx, { litres: 0 }));
    await bus.dispatch(background, BoilWaterCommand, { litres: 2 });
    await expect(bus.dispatch(background, GetTeaQuery, { cups: 1 })).rejects.toThrow('no handler');
    await expect(bus.dispatch(canceled(), BoilWaterCommand, { litres: 3 })).rejects.toThrow('canceled');
    expect(bus.dispatched).toEqual([
      { message: BoilWaterCommand, args: { litres: 2 } },
      { message: GetTeaQuery, args: { cups: 1 } },
      { message: BoilWaterCommand, args: { litres: 3 } },
    ]);
  });

  it('records what is published, before the listeners run', async () => {
    const bus = new FakeBus();
    bus.addEventListener(TeaServed, async (ctx, { cups }) => {
      if (cups > 1) await bus.publish(ctx, TeaServed, { cups: cups - 1 });
    });
    await bus.publish(background, TeaServed, { cups: 2 });
    expect(bus.published).toEqual([
      { event: TeaServed, data: { cups: 2 } },
      { event: TeaServed, data: { cups: 1 } },
    ]);
  });

  it('records durable events too, also those that a rollback undoes', async () => {
    const bus = new FakeBus();
    const attempt = bus.inTransaction(background, async (ctx) => {
      await bus.publish(ctx, TeaOrdered, { table: '7' });
      throw new Error('spilt');
    });
    await expect(attempt).rejects.toThrow('spilt');
    expect(bus.published).toEqual([{ event: TeaOrdered, data: { table: '7' } }]);
  });

  it('keeps what callbacks after a commit throw', async () => {
    const bus = new FakeBus();
    bus.afterCommit(background, () => {
      throw new Error('cache');
    });
    bus.afterCommit(background, () => Promise.reject(new Error('async cache')));
    await vi.waitFor(() => expect(bus.callbackErrors).toHaveLength(2));
    expect(bus.callbackErrors).toEqual([new Error('cache'), new Error('async cache')]);
  });
});
