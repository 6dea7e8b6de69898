import { background } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { type Fact, type Folding, fact, on, UnreadableEventError } from '@samovar/journal';
import { event } from '@samovar/message';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JournalsUnderTest } from '../contract.ts';
import { CupPoured, pots, pour } from './pots.ts';

const ctx = background;
const CupPainted = event('tea.CupPainted', z.object({ color: z.string() }));

/** A fact of CupPoured as another version of the program has it. */
const asVersion = (version: number, data: unknown): Fact => ({ event: { name: CupPoured.name, version }, data });

export function loadContract(underTest: () => JournalsUnderTest): void {
  const journal = () => underTest().journals.of(pots);

  it('folds what has happened, whoever has appended it', async () => {
    const [here, there] = [journal(), underTest().others.of(pots)];
    expect(await here.load(ctx, 'pots.1')).toEqual({ state: pots.initial(), head: null });
    const first = await there.change(ctx, 'pots.1', () => [pour('Ann')]);
    await there.change(ctx, 'pots.2', () => [pour('Eve')]);
    expect(await here.load(ctx, 'pots.1')).toEqual({ state: { cups: ['Ann+0'], events: 1 }, head: first.head });
    const second = await there.change(ctx, 'pots.1', () => [pour('Bob')]);
    const state = { cups: ['Ann+0', 'Bob+0'], events: 2 };
    expect(await here.load(ctx, 'pots.1')).toEqual({ state, head: second.head });
  });

  it('brings older versions up to date, fills in defaults, and passes over what it does not know', async () => {
    const kept = journal();
    await kept.append(ctx, 'pots.1', null, [asVersion(1, { name: 'Ann' }), fact(CupPainted, { color: 'blue' })]);
    const { head } = await kept.load(ctx, 'pots.1');
    expect(await journal().load(ctx, 'pots.1')).toEqual({ state: { cups: ['Ann+1'], events: 1 }, head });
    await kept.append(ctx, 'pots.1', head, [pour('Bob')]);
    expect((await kept.load(ctx, 'pots.1')).state.cups).toEqual(['Ann+1', 'Bob+0']);
  });

  it.each([
    ['of a newer version', asVersion(3, { guest: 'Eve', sugar: 1 })],
    ['of another shape', asVersion(2, { guest: 7 })],
    ['of no shape', asVersion(2, null)],
    ['which an older version cannot have been', asVersion(1, null)],
  ])('refuses an event %s, until it is gone', async (_, bad) => {
    const [kept, other] = [journal(), underTest().others.of({ ...pots, folds: [] })];
    const { head } = await kept.change(ctx, 'pots.1', () => [pour('Ann')]);
    const { head: id } = await other.append(ctx, 'pots.1', head, [pour('Bob'), bad]);
    for (const each of [kept, kept, journal()]) {
      const attempt = each.load(ctx, 'pots.1');
      await expect(attempt).rejects.toThrow(UnreadableEventError);
      await expect(attempt).rejects.toMatchObject({ details: { stream: 'pots.1', id, type: CupPoured.name } });
    }
    await expect(kept.change(ctx, 'pots.1', () => [pour('Eve')])).rejects.toThrow(UnreadableEventError);
    expect(await other.load(ctx, 'pots.1')).toMatchObject({ head: id });
    await other.erase(ctx, 'pots.1');
    expect((await kept.change(ctx, 'pots.1', () => [pour('Zoe')])).state.cups).toEqual(['Zoe+0']);
  });

  it('hands a fold the event, whose data is its own', async () => {
    const seen: Pick<Event, 'stream' | 'id' | 'type' | 'time'>[] = [];
    const painted: Folding<{ colors: object[] }> = {
      initial: () => ({ colors: [] }),
      folds: [
        on(CupPainted, ({ colors }: { colors: object[] }, data, { stream, id, type, time }) => {
          colors.push(Object.assign(data, { color: `dark ${data.color}` }));
          seen.push({ stream, id, type, time });
        }),
      ],
    };
    const data = { color: 'blue' };
    const { head } = await underTest()
      .journals.of(painted)
      .change(ctx, 'cups.1', () => [fact(CupPainted, data)]);
    expect(seen).toEqual([{ stream: 'cups.1', id: head, type: CupPainted.name, time: expect.any(Date) as Date }]);
    expect(data).toEqual({ color: 'blue' });
    const { state } = await underTest().others.of(painted).load(ctx, 'cups.1');
    expect(state).toEqual({ colors: [{ color: 'dark blue' }] });
  });
}
