import {
  type Bus,
  CommandWhileReplayingError,
  commandsWhileReplaying,
  DuplicateHandlerError,
  HandlerNotFoundError,
} from '@samovar/bus';
import { background, CanceledError, DeadlineExceededError, withTimeout, withValue } from '@samovar/context';
import { replaying } from '@samovar/eda';
import { command } from '@samovar/message';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { as, BoilWaterCommand, below, canceled, GetTeaQuery, guestOf, here, TeaServed } from './messages.ts';

export function callContract(makeBus: () => Bus): void {
  describe('dispatch', () => {
    settling(makeBus);
    refusing(makeBus);
    nesting(makeBus);
    whileReplaying(makeBus);
  });
  describe('addHandler', () => {
    duplicates(makeBus);
    disposal(makeBus);
  });
}

function whileReplaying(makeBus: () => Bus): void {
  it('refuses commands for an event that is replayed, unless they are allowed, and answers queries', async () => {
    const bus = makeBus();
    const boil = vi.fn();
    bus.addHandler(BoilWaterCommand, boil);
    bus.addHandler(GetTeaQuery, () => ({ kind: 'black' }));
    const ctx = withValue(background, replaying, true);
    await expect(bus.dispatch(ctx, BoilWaterCommand, { litres: 1 })).rejects.toThrow(CommandWhileReplayingError);
    expect(boil).not.toHaveBeenCalled();
    expect(await bus.dispatch(ctx, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'black' });
    await bus.dispatch(withValue(ctx, commandsWhileReplaying, true), BoilWaterCommand, { litres: 1 });
    expect(boil).toHaveBeenCalledOnce();
  });
}

function settling(makeBus: () => Bus): void {
  it('answers with what the handler returns, typed', async () => {
    const bus = makeBus();
    const boil = vi.fn();
    bus.addHandler(GetTeaQuery, async (_, { cups }) => ({ kind: `green × ${cups}` }));
    bus.addHandler(BoilWaterCommand, boil);
    const tea = await bus.dispatch(background, GetTeaQuery, { cups: 2 });
    expectTypeOf(tea).toEqualTypeOf<{ kind: string }>();
    expect(tea).toEqual({ kind: 'green × 2' });
    const nothing = bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    expectTypeOf(nothing).toEqualTypeOf<Promise<void>>();
    expect(await nothing).toBeUndefined();
    // @ts-expect-error: litres is a number
    await bus.dispatch(background, BoilWaterCommand, { litres: 'one' });
    expect(boil.mock.calls).toEqual([
      [background, { litres: 1 }],
      [background, { litres: 'one' }],
    ]);
  });

  it('takes a plain value, and a plain throw, of a handler that is not async', async () => {
    const bus = makeBus();
    bus.addHandler(GetTeaQuery, () => ({ kind: 'black' }));
    bus.addHandler(BoilWaterCommand, () => {
      throw new Error('no kettle');
    });
    const answer = bus.dispatch(background, GetTeaQuery, { cups: 1 });
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toEqual({ kind: 'black' });
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toThrow('no kettle');
  });

  it('rejects with the very error of the handler', async () => {
    const bus = makeBus();
    const error = new Error('cold');
    bus.addHandler(BoilWaterCommand, () => Promise.reject(error));
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toBe(error);
  });

  it('lets calls run side by side', async () => {
    const bus = makeBus();
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const finished: number[] = [];
    bus.addHandler(BoilWaterCommand, async (_, { litres }) => {
      await gates[litres]?.promise;
      finished.push(litres);
    });
    const calls = [0, 1, 2].map((litres) => bus.dispatch(background, BoilWaterCommand, { litres }));
    gates[2]?.resolve();
    await calls[2];
    gates[0]?.resolve();
    gates[1]?.resolve();
    await Promise.all(calls);
    expect(finished).toHaveLength(3);
    expect(finished.indexOf(2)).toBeLessThan(finished.indexOf(1));
  });
}

function refusing(makeBus: () => Bus): void {
  it('rejects where nobody handles', async () => {
    const bus = makeBus();
    bus.addEventListener(TeaServed, () => {});
    const refusal = bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    await expect(refusal).rejects.toThrow(HandlerNotFoundError);
    await expect(refusal).rejects.toMatchObject({
      id: 'bus.handlerNotFound',
      message: expect.stringContaining('no handler for kitchen.BoilWaterCommand'),
    });
  });

  it('does not run the handler in a context that is done', async () => {
    const bus = makeBus();
    const handler = vi.fn();
    bus.addHandler(BoilWaterCommand, handler);
    await expect(bus.dispatch(canceled(), BoilWaterCommand, { litres: 1 })).rejects.toThrow(CanceledError);
    using late = withTimeout(background, 0);
    await expect(bus.dispatch(late.ctx, BoilWaterCommand, { litres: 1 })).rejects.toThrow(DeadlineExceededError);
    expect(handler).not.toHaveBeenCalled();
  });
}

function nesting(makeBus: () => Bus): void {
  it('passes the caller’s own context down through nested calls', async () => {
    const bus = makeBus();
    const seen: unknown[] = [];
    bus.addHandler(GetTeaQuery, async (ctx, { cups }) => {
      seen.push(ctx);
      await bus.dispatch(ctx, BoilWaterCommand, { litres: cups / 4 });
      await bus.publish(ctx, TeaServed, { cups });
      return { kind: guestOf(ctx) };
    });
    bus.addHandler(BoilWaterCommand, (ctx) => void seen.push(ctx));
    bus.addEventListener(TeaServed, (ctx) => void seen.push(ctx));
    const ann = as('ann');
    expect(await bus.dispatch(ann, GetTeaQuery, { cups: 2 })).toEqual({ kind: 'ann' });
    expect(seen.map((ctx) => ctx === ann)).toEqual([true, true, true]);
  });
}

function duplicates(makeBus: () => Bus): void {
  it('refuses a second handler, and names both places', async () => {
    const bus = makeBus();
    const place = here();
    bus.addHandler(GetTeaQuery, () => ({ kind: 'first' }));
    const again = () => bus.addHandler(GetTeaQuery, () => ({ kind: 'second' }));
    expect(again).toThrow(DuplicateHandlerError);
    const places = `added at .*${below(place)}:\\d+, and again at .*${below(place, 2)}:\\d+`;
    expect(again).toThrow(new RegExp(places));
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'first' });
  });

  it('refuses a second message of one name', () => {
    const bus = makeBus();
    const Other = command(BoilWaterCommand.name, BoilWaterCommand.args as never);
    const place = here();
    bus.addHandler(BoilWaterCommand, () => {});
    const other = () => bus.addHandler(Other, () => {});
    expect(other).toThrow(DuplicateHandlerError);
    expect(other).toThrow(new RegExp(`${below(place)}:\\d+, and again at .*${below(place, 2)}:`));
  });
}

function disposal(makeBus: () => Bus): void {
  it('gives a registration whose disposal frees the message and its name', async () => {
    const bus = makeBus();
    const Other = command(BoilWaterCommand.name, BoilWaterCommand.args as never);
    const first = bus.addHandler(BoilWaterCommand, () => {});
    first[Symbol.dispose]();
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toThrow(HandlerNotFoundError);
    bus.addHandler(Other, () => {});
    await expect(bus.dispatch(background, Other, {} as never)).resolves.toBeUndefined();
  });

  it('removes nothing but its own', async () => {
    const bus = makeBus();
    const first = bus.addHandler(GetTeaQuery, () => ({ kind: 'first' }));
    first[Symbol.dispose]();
    bus.addHandler(GetTeaQuery, () => ({ kind: 'second' }));
    first[Symbol.dispose]();
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'second' });
  });
}
