import type { Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { GetNumberQuery, NumberNotFoundError, NumberSet, type Numerical, SetNumberCommand } from '@samovar/numerical';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** A Numerical without numbers, and the bus that it answers and publishes on. */
export interface NumericalUnderTest extends AsyncDisposable {
  readonly numerical: Numerical;
  readonly bus: Bus;
}

/** The promises of {@link Numerical}, as a vitest suite. `make` makes what each test works on. */
export function numericalContract(name: string, make: () => Promise<NumericalUnderTest>): void {
  describe(`${name} as Numerical`, () => {
    let current: NumericalUnderTest;
    let numerical: Numerical;
    let bus: Bus;
    beforeEach(async () => {
      current = await make();
      ({ numerical, bus } = current);
    });
    afterEach(() => current[Symbol.asyncDispose]());

    it('gives the value that was set last', async () => {
      await numerical.setNumber(background, { id: 1, value: 7 });
      await numerical.setNumber(background, { id: 2, value: 8 });
      await numerical.setNumber(background, { id: 1, value: 9 });
      expect(await numerical.getNumber(background, { id: 1 })).toBe(9);
      expect(await numerical.getNumber(background, { id: 2 })).toBe(8);
    });

    it.each([0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('keeps %i', async (value) => {
      const id = Math.abs(value);
      await numerical.setNumber(background, { id, value });
      expect(await numerical.getNumber(background, { id })).toBe(value);
    });

    it('knows no number that was not set', async () => {
      await numerical.setNumber(background, { id: 1, value: 7 });
      const attempt = numerical.getNumber(background, { id: 2 });
      await expect(attempt).rejects.toThrow(NumberNotFoundError);
      await expect(attempt).rejects.toMatchObject({ id: 'numerical.numberNotFound', details: { id: 2 } });
    });

    it('publishes NumberSet once the number is set, in the same transaction', async () => {
      const seen = vi.fn();
      const committed = vi.fn();
      bus.addEventListener(NumberSet, async (ctx, data) => {
        bus.afterCommit(ctx, committed);
        seen(data, await numerical.getNumber(ctx, { id: data.id }));
        expect(committed).not.toHaveBeenCalled();
      });
      await numerical.setNumber(background, { id: 1, value: 7 });
      expect(seen.mock.calls).toEqual([[{ id: 1, value: 7 }, 7]]);
      expect(committed).toHaveBeenCalledOnce();
    });

    it('leaves the number as it was when a listener fails', async () => {
      await numerical.setNumber(background, { id: 1, value: 7 });
      bus.addEventListener(NumberSet, () => {
        throw new Error('a listener fails');
      });
      await expect(numerical.setNumber(background, { id: 1, value: 8 })).rejects.toThrow('a listener fails');
      await expect(numerical.setNumber(background, { id: 2, value: 8 })).rejects.toThrow('a listener fails');
      expect(await numerical.getNumber(background, { id: 1 })).toBe(7);
      await expect(numerical.getNumber(background, { id: 2 })).rejects.toThrow(NumberNotFoundError);
    });

    it.each([{}, { id: -1, value: 1 }, { id: 0.5, value: 1 }, { id: 1, value: 0.5 }, { id: 1, value: 2 ** 53 }])(
      'refuses %j',
      async (args) => {
        await expect(numerical.setNumber(background, args as never)).rejects.toThrow(InvalidMessageError);
        await expect(numerical.getNumber(background, args as never)).rejects.toThrow(InvalidMessageError);
      },
    );

    it('answers on the bus', async () => {
      await bus.dispatch(background, SetNumberCommand, { id: 1, value: 7 });
      expect(await bus.dispatch(background, GetNumberQuery, { id: 1 })).toBe(7);
    });
  });
}
