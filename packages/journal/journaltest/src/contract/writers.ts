import { background } from '@samovar/context';
import { HeadConflictError } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { JournalsUnderTest } from '../contract.ts';
import { pots, pour } from './pots.ts';

const ctx = background;

export function writersContract(underTest: () => JournalsUnderTest): void {
  const both = () => [underTest().journals.of(pots), underTest().others.of(pots)] as const;

  it('append behind a head that is still the head, or not at all', async () => {
    const [here, there] = both();
    const first = await here.append(ctx, 'pots.1', null, [pour('Ann')]);
    await expect(there.append(ctx, 'pots.1', null, [pour('Eve')])).rejects.toThrow(HeadConflictError);
    const second = await there.append(ctx, 'pots.1', first.head, [pour('Bob'), pour('Bob')]);
    await expect(here.append(ctx, 'pots.1', first.head, [pour('Eve')])).rejects.toThrow(HeadConflictError);
    expect(second.state.cups).toEqual(['Ann+0', 'Bob+0', 'Bob+0']);
    expect(await here.append(ctx, 'pots.1', first.head, [])).toEqual(second);
    await there.erase(ctx, 'pots.1');
    await expect(here.append(ctx, 'pots.1', second.head, [pour('Eve')])).rejects.toThrow(HeadConflictError);
    expect(await here.load(ctx, 'pots.1')).toMatchObject({ head: null });
  });

  it('take each of 50 decisions exactly once, its facts side by side', async () => {
    const guests = Array.from({ length: 50 }, (_, i) => `guest ${i}`);
    const journals = [...both(), ...both()] as const;
    const change = (guest: string, i: number) =>
      (journals[i % 4] ?? journals[0]).change(ctx, 'pots.1', () => [pour(guest), pour(guest)]);
    await Promise.all(guests.map(change));
    const { cups } = (await journals[0].load(ctx, 'pots.1')).state;
    expect(cups.toSorted()).toEqual(guests.flatMap((guest) => [`${guest}+0`, `${guest}+0`]).toSorted());
    expect(cups.filter((_, i) => i % 2 === 0)).toEqual(cups.filter((_, i) => i % 2 === 1));
  });

  it('decide by what the others have done', async () => {
    const [here, there] = both();
    const seats = 40;
    const ask = (i: number) =>
      (i % 2 === 0 ? here : there).change(ctx, 'pots.1', ({ cups }) =>
        cups.length < seats ? [pour(`guest ${i} on seat ${cups.length}`)] : [],
      );
    await Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)));
    const { state } = await here.load(ctx, 'pots.1');
    expect(state.cups.map((cup) => Number(/seat (\d+)/.exec(cup)?.[1]))).toEqual([...Array(seats).keys()]);
    expect(new Set(state.cups.map((cup) => /guest \d+/.exec(cup)?.[0])).size).toBe(seats);
    expect((await there.load(ctx, 'pots.1')).state).toEqual(state);
  });
}
