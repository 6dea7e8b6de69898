import { type Fact, type Folding, fact, on } from '@samovar/journal';
import { event } from '@samovar/message';
import { z } from 'zod';

/** A guest has got a cup of tea; `version` 1 named the guest otherwise, and had one sugar for everybody. */
export const CupPoured = event(
  'tea.CupPoured',
  z.object({ guest: z.string(), sugar: z.int().nonnegative().default(0) }),
  { version: 2, upcast: { 1: ({ name }: { name: string }) => ({ guest: name, sugar: 1 }) } },
);
export const PotEmptied = event('tea.PotEmptied', z.object({}));

/** A pot of tea. */
export interface Pot {
  /** Who has got a cup of it, with how much sugar. */
  cups: string[];
  /** How many cups were poured since it is there. */
  events: number;
}

export const pots: Folding<Pot> = {
  initial: () => ({ cups: [], events: 0 }),
  folds: [
    on(CupPoured, (pot: Pot, { guest, sugar }) => {
      pot.cups.push(`${guest}+${sugar}`);
      pot.events++;
    }),
    on(PotEmptied, (pot: Pot) => {
      pot.cups = [];
    }),
  ],
};

export const pour = (guest: string): Fact => fact(CupPoured, { guest });
