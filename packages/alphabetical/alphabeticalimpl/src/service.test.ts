import type { Letter } from '@samovar/alphabetical';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { FakeNumerical } from '@samovar/numericaltest';
import { expect, it, vi } from 'vitest';
import { AlphabeticalService } from './service.ts';
import type { LetterStore } from './store.ts';

function mapLetterStore(): LetterStore {
  const letters = new Map<number, Letter>();
  return {
    get: async (_ctx, id) => letters.get(id),
    add: async (_ctx, id, letter) => void letters.set(id, letter),
    delete: async (_ctx, id) => void letters.delete(id),
    lock: async () => {},
  };
}

/** The number 1 under the id 1, and nothing in memory. */
async function setUp() {
  const bus = new FakeBus();
  const numerical = new FakeNumerical(bus);
  await numerical.setNumber(background, { id: 1, value: 1 });
  const store = mapLetterStore();
  const alphabetical = new AlphabeticalService(bus, numerical, store);
  alphabetical.init();
  return { alphabetical, numerical, store, bus };
}

it('asks the store once', async () => {
  const { alphabetical, store } = await setUp();
  await alphabetical.getLetter(background, { id: 1 });
  const get = vi.spyOn(store, 'get');
  expect(await alphabetical.getLetter(background, { id: 1 })).toBe('a');
  expect(get).not.toHaveBeenCalled();
});

it('does not keep in memory what it read before the letter was deleted', async () => {
  const { alphabetical, store } = await setUp();
  const read = Promise.withResolvers<Letter>();
  vi.spyOn(store, 'get').mockReturnValueOnce(read.promise);
  const letter = alphabetical.getLetter(background, { id: 1 });
  await alphabetical.deleteLetter(background, { id: 1 });
  read.resolve('a');
  expect(await letter).toBe('a');
  expect(alphabetical.listCachedLetters(background, {})).toEqual([]);
});

it('does not keep in memory what a transaction read before the letter was deleted', async () => {
  const { alphabetical, bus } = await setUp();
  await bus.inTransaction(background, async (ctx) => {
    await alphabetical.getLetter(ctx, { id: 1 });
    await alphabetical.deleteLetter(background, { id: 1 });
  });
  expect(alphabetical.listCachedLetters(background, {})).toEqual([]);
});

it('passes on what else Numerical fails with', async () => {
  const { alphabetical, numerical } = await setUp();
  vi.spyOn(numerical, 'getNumber').mockRejectedValueOnce(new Error('out of order'));
  await expect(alphabetical.getLetter(background, { id: 1 })).rejects.toThrow('out of order');
});
