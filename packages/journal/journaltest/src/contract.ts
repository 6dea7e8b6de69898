import { background, CanceledError, withCancel } from '@samovar/context';
import { InvalidArgumentError, InvalidSelectorError, InvalidStreamError } from '@samovar/eda';
import { fact, type Journal, type Journals } from '@samovar/journal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadContract } from './contract/load.ts';
import { type Pot, PotEmptied, pots, pour } from './contract/pots.ts';
import { writersContract } from './contract/writers.ts';

/** Journals of which no stream exists, and the same as another process has them. */
export interface JournalsUnderTest extends AsyncDisposable {
  readonly journals: Journals;
  readonly others: Journals;
}

const ctx = background;

/** The promises of {@link Journals}, as a vitest suite. `start` makes what each test works on. */
export function journalContract(name: string, start: () => Promise<JournalsUnderTest>): void {
  describe(`${name} as Journals`, () => {
    let current: JournalsUnderTest;
    beforeEach(async () => {
      current = await start();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    const journal = () => current.journals.of(pots);
    describe('load', () => loadContract(underTest));
    describe('change', () => changeContract(journal));
    describe('several writers', () => writersContract(underTest));
    describe('erase', () => eraseContract(underTest));
    streamsContract(journal);
    refusals(journal);
  });
}

function changeContract(journal: () => Journal<Pot>): void {
  it('appends what was decided, and gives the entity thereafter', async () => {
    const kept = journal();
    const decided = [pour('Ann'), fact(PotEmptied, {}), pour('Bob')];
    const { state, head } = await kept.change(ctx, 'pots.1', () => decided);
    expect(state.cups).toEqual(['Bob+0']);
    expect(await journal().load(ctx, 'pots.1')).toMatchObject({ state: { cups: ['Bob+0'], events: 2 }, head });
    const later = await kept.change(ctx, 'pots.1', ({ cups }) => [pour(`after ${cups.join()}`)]);
    expect(later.state.cups).toEqual(['Bob+0', 'after Bob+0+0']);
    expect(later.head).not.toBe(head);
  });

  it('appends nothing where nothing is to happen', async () => {
    expect(await journal().change(ctx, 'pots.1', () => [])).toEqual({ state: pots.initial(), head: null });
    const { head } = await journal().change(ctx, 'pots.1', () => [pour('Ann')]);
    expect(await journal().change(ctx, 'pots.1', () => [])).toMatchObject({ state: { cups: ['Ann+0'] }, head });
  });

  it('appends nothing where the one who decides throws, or a fact cannot be stored', async () => {
    const kept = journal();
    const refusal = new Error('no more tea');
    const refused = kept.change(ctx, 'pots.1', () => {
      throw refusal;
    });
    await expect(refused).rejects.toBe(refusal);
    await expect(kept.change(ctx, 'pots.1', () => [pour('Ann'), { event: PotEmptied, data: 1n }])).rejects.toThrow();
    const many = Array.from({ length: 2_049 }, () => pour('Ann'));
    await expect(kept.change(ctx, 'pots.1', () => many)).rejects.toThrow(InvalidArgumentError);
    expect(await kept.load(ctx, 'pots.1')).toEqual({ state: pots.initial(), head: null });
    expect((await kept.change(ctx, 'pots.1', () => many.slice(1))).state.cups).toHaveLength(2_048);
  });
}

function eraseContract(underTest: () => JournalsUnderTest): void {
  it('leaves an entity without events, and may be repeated', async () => {
    const journal = underTest().journals.of(pots);
    await journal.change(ctx, 'pots.1', () => [pour('Ann')]);
    await journal.change(ctx, 'pots.2', () => [pour('Bob')]);
    await journal.erase(ctx, 'pots.1');
    await journal.erase(ctx, 'pots.1');
    expect(await journal.load(ctx, 'pots.1')).toEqual({ state: pots.initial(), head: null });
    expect((await journal.load(ctx, 'pots.2')).state.cups).toEqual(['Bob+0']);
    expect((await journal.change(ctx, 'pots.1', () => [pour('Eve')])).state.cups).toEqual(['Eve+0']);
  });

  it.each([1, 2, 3])('by another is noticed when the stream has begun anew, of %i events', async (events) => {
    const [journal, other] = [underTest().journals.of(pots), underTest().others.of(pots)];
    for (let i = 0; i < events; i++) await journal.change(ctx, 'pots.1', () => [pour('Ann')]);
    await other.erase(ctx, 'pots.1');
    for (const guest of ['Bob', 'Eve']) await other.change(ctx, 'pots.1', () => [pour(guest)]);
    expect((await journal.load(ctx, 'pots.1')).state.cups).toEqual(['Bob+0', 'Eve+0']);
    await other.erase(ctx, 'pots.1');
    await other.change(ctx, 'pots.1', () => [pour('Zoe')]);
    const { state } = await journal.change(ctx, 'pots.1', ({ cups }) => [pour(`after ${cups.join()}`)]);
    expect(state.cups).toEqual(['Zoe+0', 'after Zoe+0+0']);
  });
}

function streamsContract(journal: () => Journal<Pot>): void {
  it.each([
    ['pots.*', ['pots.1']],
    ['pots.>', ['pots.1', 'pots.1.lid']],
    ['*.1', ['kettles.1', 'pots.1']],
    ['pots.1', ['pots.1']],
    ['cups.*', []],
  ])('tells the streams of %s', async (selector, expected) => {
    const heads = new Map<string, unknown>();
    for (const stream of ['pots.1', 'pots.2', 'pots.1.lid', 'kettles.1']) {
      heads.set(stream, (await journal().change(ctx, stream, () => [pour('Ann'), pour('Bob')])).head);
    }
    await journal().erase(ctx, 'pots.2');
    const found = [];
    for await (const each of journal().streams(ctx, selector)) found.push(each);
    const byName = found.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
    expect(byName).toEqual(expected.map((stream) => ({ stream, head: heads.get(stream) })));
  });
}

function refusals(journal: () => Journal<Pot>): void {
  it.each(['', 'pots.*', 'pots..1', 'pots 1', '.'.repeat(300)])('refuses the stream %j', async (stream) => {
    const kept = journal();
    await expect(kept.load(ctx, stream)).rejects.toThrow(InvalidStreamError);
    await expect(kept.change(ctx, stream, () => [pour('Ann')])).rejects.toThrow(InvalidStreamError);
    await expect(kept.append(ctx, stream, null, [pour('Ann')])).rejects.toThrow(InvalidStreamError);
    await expect(kept.erase(ctx, stream)).rejects.toThrow(InvalidStreamError);
  });

  it.each(['', 'pots.>.1', 'pots*', 'pots..1'])('refuses the selector %j', async (selector) => {
    const asked = async () => {
      for await (const _ of journal().streams(ctx, selector));
    };
    await expect(asked()).rejects.toThrow(InvalidSelectorError);
  });

  it('does nothing for a caller who has given up', async () => {
    const kept = journal();
    const { head } = await kept.change(ctx, 'pots.1', () => [pour('Ann')]);
    using scope = withCancel(ctx);
    scope.cancel();
    await expect(kept.load(scope.ctx, 'pots.1')).rejects.toThrow(CanceledError);
    await expect(kept.change(scope.ctx, 'pots.1', () => [pour('Eve')])).rejects.toThrow(CanceledError);
    await expect(kept.append(scope.ctx, 'pots.1', head, [pour('Eve')])).rejects.toThrow(CanceledError);
    await expect(kept.erase(scope.ctx, 'pots.1')).rejects.toThrow(CanceledError);
    expect(await kept.load(ctx, 'pots.1')).toMatchObject({ state: { cups: ['Ann+0'] }, head });
  });
}
