import { type Bus, HandlerNotFoundError, type Middleware } from '@samovar/bus';
import { background, CanceledError } from '@samovar/context';
import { describe, expect, it, vi } from 'vitest';
import { as, BoilWaterCommand, canceled, GetTeaQuery, guestOf, TeaServed } from './messages.ts';

export function middlewareContract(makeBus: () => Bus): void {
  describe('use', () => {
    order(makeBus);
    changing(makeBus);
    failing(makeBus);
    disposal(makeBus);
  });
}

function order(makeBus: () => Bus): void {
  it('runs middleware around every dispatch, the first added outermost, and around no publication', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    for (const name of ['outer', 'inner']) {
      bus.use(async (ctx, message, args, next) => {
        steps.push(`${name} ${message.name} ${JSON.stringify(args)}`);
        const result = await next(ctx, args);
        steps.push(`${name} done`);
        return result;
      });
    }
    bus.addHandler(GetTeaQuery, () => {
      steps.push('handler');
      return { kind: 'green' };
    });
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'green' });
    expect(steps).toEqual([
      'outer kitchen.GetTeaQuery {"cups":1}',
      'inner kitchen.GetTeaQuery {"cups":1}',
      'handler',
      'inner done',
      'outer done',
    ]);
    await bus.publish(background, TeaServed, { cups: 1 });
    expect(steps).toHaveLength(5);
  });

  it('keeps to the middleware that was there when a dispatch began', async () => {
    const bus = makeBus();
    const late = vi.fn<Middleware>((ctx, _, args, next) => next(ctx, args));
    bus.addHandler(BoilWaterCommand, () => {});
    bus.use((ctx, _, args, next) => {
      if (late.mock.calls.length === 0) bus.use(late);
      return next(ctx, args);
    });
    await bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    expect(late).not.toHaveBeenCalled();
    await bus.dispatch(background, BoilWaterCommand, { litres: 1 });
    expect(late).toHaveBeenCalled();
  });
}

function changing(makeBus: () => Bus): void {
  it('passes on another context and other arguments', async () => {
    const bus = makeBus();
    bus.addHandler(GetTeaQuery, (ctx, { cups }) => ({ kind: `${cups} for ${guestOf(ctx)}` }));
    bus.use((_, __, args, next) => next(as('bob'), { cups: (args as { cups: number }).cups + 1 }));
    bus.use(async (ctx, _, args, next) => ({ kind: `${((await next(ctx, args)) as { kind: string }).kind}!` }));
    expect(await bus.dispatch(as('ann'), GetTeaQuery, { cups: 1 })).toEqual({ kind: '2 for bob!' });
  });

  it('may answer by itself, also where nobody handles', async () => {
    const bus = makeBus();
    bus.use(async (ctx, message, args, next) => (message === GetTeaQuery ? { kind: 'iced' } : next(ctx, args)));
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'iced' });
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toThrow(HandlerNotFoundError);
  });

  it('may call next again', async () => {
    const bus = makeBus();
    const handler = vi.fn().mockRejectedValueOnce(new Error('spilt')).mockResolvedValue({ kind: 'green' });
    bus.addHandler(GetTeaQuery, handler);
    bus.use((ctx, _, args, next) => next(ctx, args).catch(() => next(ctx, args)));
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'green' });
    expect(handler).toHaveBeenCalledTimes(2);
  });
}

function failing(makeBus: () => Bus): void {
  it.each<[string, Middleware]>([
    ['throws', () => raise('strike')],
    ['rejects', () => Promise.reject(new Error('strike'))],
  ])('rejects where middleware %s', async (_, middleware) => {
    const bus = makeBus();
    const handler = vi.fn();
    bus.addHandler(BoilWaterCommand, handler);
    const outer = vi.fn<Middleware>((ctx, _, args, next) => next(ctx, args));
    bus.use(outer);
    bus.use(middleware);
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toThrow('strike');
    await expect(outer.mock.results[0]?.value).rejects.toThrow('strike');
    expect(handler).not.toHaveBeenCalled();
  });

  it('shows middleware what the handler throws, as a rejection', async () => {
    const bus = makeBus();
    bus.addHandler(GetTeaQuery, () => raise('no leaves'));
    bus.use((ctx, _, args, next) => next(ctx, args).catch((error: Error) => ({ kind: error.message })));
    expect(await bus.dispatch(background, GetTeaQuery, { cups: 1 })).toEqual({ kind: 'no leaves' });
  });

  it('refuses a done context, the caller’s or the one passed on', async () => {
    const bus = makeBus();
    const handler = vi.fn();
    bus.addHandler(BoilWaterCommand, handler);
    const middleware = vi.fn<Middleware>((_, __, args, next) => next(canceled(), args));
    bus.use(middleware);
    await expect(bus.dispatch(canceled(), BoilWaterCommand, { litres: 1 })).rejects.toThrow(CanceledError);
    expect(middleware).not.toHaveBeenCalled();
    await expect(bus.dispatch(background, BoilWaterCommand, { litres: 1 })).rejects.toThrow(CanceledError);
    expect(middleware).toHaveBeenCalledOnce();
    expect(handler).not.toHaveBeenCalled();
  });
}

function disposal(makeBus: () => Bus): void {
  it('takes out one registration at a time', async () => {
    const bus = makeBus();
    const steps: string[] = [];
    const step: Middleware = (ctx, _, args, next) => {
      steps.push('step');
      return next(ctx, args);
    };
    bus.addHandler(BoilWaterCommand, () => {});
    const registrations = [bus.use(step), bus.use(step)];
    for (const count of [2, 1, 0]) {
      await bus.dispatch(background, BoilWaterCommand, { litres: 1 });
      expect(steps.splice(0)).toHaveLength(count);
      const registration = registrations.pop();
      registration?.[Symbol.dispose]();
      registration?.[Symbol.dispose]();
    }
  });
}

function raise(message: string): never {
  throw new Error(message);
}
