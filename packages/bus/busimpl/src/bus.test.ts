import { Bus, DurableEvents } from '@samovar/bus';
import { background } from '@samovar/context';
import { Db } from '@samovar/db';
import { command, event } from '@samovar/message';
import { Container } from 'inversify';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { InProcessBus } from './bus.ts';
import { busModule } from './module.ts';

const BoilWaterCommand = command('kitchen.BoilWaterCommand', z.object({ litres: z.number() }));
const WaterBoiled = event('kitchen.WaterBoiled', z.object({ litres: z.number() }));

/** Nothing here may need them. */
const db = { inTransaction: vi.fn(), isInTransaction: vi.fn(), afterCommit: vi.fn() };
const durable = { add: vi.fn() };

describe('dispatch', () => {
  it('runs the handler before it returns', () => {
    const bus = new InProcessBus(db, durable);
    const handler = vi.fn();
    bus.addHandler(BoilWaterCommand, handler);
    void bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    expect(handler).toHaveBeenCalledOnce();
  });

  it('hands on the handler’s own promise', () => {
    const bus = new InProcessBus(db, durable);
    const promise = Promise.resolve();
    bus.addHandler(BoilWaterCommand, () => promise);
    expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).toBe(promise);
  });
});

it('publishes an event without a stream without the database', async () => {
  const bus = new InProcessBus(db, durable);
  const listener = vi.fn();
  bus.addEventListener(WaterBoiled, listener);
  await bus.publish(background, WaterBoiled, { litres: 1 });
  expect(listener.mock.calls).toEqual([[background, { litres: 1 }]]);
  expect([db.inTransaction.mock.calls, durable.add.mock.calls]).toEqual([[], []]);
});

it('is bound once, over Db and DurableEvents', () => {
  const container = new Container();
  container.bind(Db).toConstantValue(db as unknown as Db);
  container.bind(DurableEvents).toConstantValue(durable);
  container.load(busModule);
  const bus = container.get(Bus);
  expect(container.get(Bus)).toBe(bus);
  const callback = vi.fn();
  bus.afterCommit(background, callback);
  expect(db.afterCommit).toHaveBeenCalledWith(background, callback);
});
