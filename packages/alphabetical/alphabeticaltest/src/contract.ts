import {
  type Alphabetical,
  DeleteLetterCommand,
  GetLetterQuery,
  LetterNotFoundError,
  ListCachedLettersQuery,
} from '@samovar/alphabetical';
import type { Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { InvalidMessageError } from '@samovar/message';
import { NumberNotFoundError, type Numerical } from '@samovar/numerical';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** An Alphabetical without letters, the numbers that its letters stand for, and the bus of both. */
export interface AlphabeticalUnderTest extends AsyncDisposable {
  readonly alphabetical: Alphabetical;
  readonly numerical: Numerical;
  readonly bus: Bus;
}

type UnderTest = () => AlphabeticalUnderTest;

/** The promises of {@link Alphabetical}, as a vitest suite. `make` makes what each test works on. */
export function alphabeticalContract(name: string, make: () => Promise<AlphabeticalUnderTest>): void {
  describe(`${name} as Alphabetical`, () => {
    let current: AlphabeticalUnderTest;
    beforeEach(async () => {
      current = await make();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    const underTest = () => current;
    letters(underTest);
    transactions(underTest);
    messages(underTest);
  });
}

/** The letters in memory, as one word. */
function cached(alphabetical: Alphabetical): string {
  return alphabetical.listCachedLetters(background, {}).join('');
}

function letters(underTest: UnderTest): void {
  it.each([
    [1, 'a'],
    [26, 'z'],
    [27, 'a'],
    [0, 'z'],
    [-1, 'y'],
    [-25, 'a'],
    [-26, 'z'],
    [Number.MAX_SAFE_INTEGER, 'e'],
    [Number.MIN_SAFE_INTEGER, 'u'],
  ])('gives for the number %i the letter %s', async (value, letter) => {
    const { alphabetical, numerical } = underTest();
    await numerical.setNumber(background, { id: 7, value });
    expect(await alphabetical.getLetter(background, { id: 7 })).toBe(letter);
    expect(await alphabetical.getLetter(background, { id: 7 })).toBe(letter);
  });

  it('knows no letter where there is no number', async () => {
    const { alphabetical } = underTest();
    const attempt = alphabetical.getLetter(background, { id: 7 });
    await expect(attempt).rejects.toThrow(LetterNotFoundError);
    await expect(attempt).rejects.toMatchObject({ details: { id: 7 }, cause: expect.any(NumberNotFoundError) });
    expect(cached(alphabetical)).toBe('');
  });

  it('lists the letters that were asked for, by their ids', async () => {
    const { alphabetical, numerical } = underTest();
    for (const [id, value] of [2, 26, 2, 1].entries()) await numerical.setNumber(background, { id, value });
    expect(cached(alphabetical)).toBe('');
    for (const id of [3, 0, 2, 3]) await alphabetical.getLetter(background, { id });
    expect(cached(alphabetical)).toBe('bba');
  });

  it('deletes a letter, and works it out again', async () => {
    const { alphabetical, numerical } = underTest();
    await numerical.setNumber(background, { id: 1, value: 1 });
    await alphabetical.getLetter(background, { id: 1 });
    await alphabetical.deleteLetter(background, { id: 1 });
    await alphabetical.deleteLetter(background, { id: 1 });
    expect(cached(alphabetical)).toBe('');
    expect(await alphabetical.getLetter(background, { id: 1 })).toBe('a');
    expect(cached(alphabetical)).toBe('a');
  });

  it('forgets a letter when its number is set', async () => {
    const { alphabetical, numerical } = underTest();
    for (const id of [1, 2]) await numerical.setNumber(background, { id, value: 1 });
    for (const id of [1, 2]) await alphabetical.getLetter(background, { id });
    await numerical.setNumber(background, { id: 1, value: 2 });
    expect(cached(alphabetical)).toBe('a');
    expect(await alphabetical.getLetter(background, { id: 1 })).toBe('b');
  });

  it('answers many at once', async () => {
    const { alphabetical, numerical } = underTest();
    await numerical.setNumber(background, { id: 1, value: 1 });
    const asked = Array.from({ length: 10 }, () => alphabetical.getLetter(background, { id: 1 }));
    expect((await Promise.all(asked)).join('')).toBe('aaaaaaaaaa');
    expect(cached(alphabetical)).toBe('a');
  });
}

function transactions(underTest: UnderTest): void {
  it('gives the letter that the transaction has made it, and lists it when that is committed', async () => {
    const { alphabetical, numerical, bus } = underTest();
    await numerical.setNumber(background, { id: 1, value: 1 });
    await alphabetical.getLetter(background, { id: 1 });
    await bus.inTransaction(background, async (ctx) => {
      await numerical.setNumber(ctx, { id: 1, value: 2 });
      expect(await alphabetical.getLetter(ctx, { id: 1 })).toBe('b');
      expect(cached(alphabetical)).toBe('a');
    });
    expect(await alphabetical.getLetter(background, { id: 1 })).toBe('b');
    expect(cached(alphabetical)).toBe('b');
  });

  it('lists what it did before a transaction that rolls back', async () => {
    const { alphabetical, numerical, bus } = underTest();
    for (const id of [1, 2]) await numerical.setNumber(background, { id, value: id });
    await alphabetical.getLetter(background, { id: 1 });
    const attempt = bus.inTransaction(background, async (ctx) => {
      await alphabetical.deleteLetter(ctx, { id: 1 });
      expect(await alphabetical.getLetter(ctx, { id: 2 })).toBe('b');
      throw new Error('rolled back');
    });
    await expect(attempt).rejects.toThrow('rolled back');
    expect(cached(alphabetical)).toBe('a');
  });
}

function messages(underTest: UnderTest): void {
  it.each([{}, { id: -1 }, { id: 0.5 }, { id: '1' }, { id: 1, more: true }])('refuses %j', async (args) => {
    const { alphabetical } = underTest();
    await expect(alphabetical.getLetter(background, args as never)).rejects.toThrow(InvalidMessageError);
    await expect(alphabetical.deleteLetter(background, args as never)).rejects.toThrow(InvalidMessageError);
    expect(() => alphabetical.listCachedLetters(background, { more: true } as never)).toThrow(InvalidMessageError);
  });

  it('answers on the bus', async () => {
    const { numerical, bus } = underTest();
    await numerical.setNumber(background, { id: 1, value: 1 });
    expect(await bus.dispatch(background, GetLetterQuery, { id: 1 })).toBe('a');
    expect(await bus.dispatch(background, ListCachedLettersQuery, {})).toEqual(['a']);
    await bus.dispatch(background, DeleteLetterCommand, { id: 1 });
    expect(await bus.dispatch(background, ListCachedLettersQuery, {})).toEqual([]);
  });
}
