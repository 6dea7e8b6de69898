import type { Event } from '@samovar/eda';
import { event, InvalidMessageError } from '@samovar/message';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Fact, type Fold, fact, on, UnreadableEventError } from './journal.ts';

interface Pot {
  cups: number;
}

const PotFilled = event('tea.PotFilled', z.object({ cups: z.int().default(6) }));

it('a fact is an event that has happened, with the data that fits it', () => {
  expectTypeOf(fact(PotFilled, {})).toEqualTypeOf<Fact>();
  expect(fact(PotFilled, { cups: 2 })).toEqual({ event: PotFilled, data: { cups: 2 } });
  // @ts-expect-error cups are a number
  fact(PotFilled, { cups: 'two' });
  // @ts-expect-error a pot has no saucers
  fact(PotFilled, { cups: 2, saucers: 2 });
});

it('a fold gets the state, the data as parsed, and the event', () => {
  const fold = on(PotFilled, (pot: Pot, data, event) => {
    expectTypeOf(data).toEqualTypeOf<{ cups: number }>();
    expectTypeOf(event).toEqualTypeOf<Event>();
    pot.cups += data.cups;
  });
  expectTypeOf(fold).toEqualTypeOf<Fold<Pot>>();
  const pot = { cups: 1 };
  fold.apply(pot, fold.event.upcast(1, {}), {} as Event);
  expect(pot).toEqual({ cups: 7 });
});

describe('errors', () => {
  it('name the event that cannot be read, and are not the fault of who asks', () => {
    const cause = new InvalidMessageError('tea.PotFilled', []);
    const error = new UnreadableEventError({ stream: 'pots.1', id: '0X', type: 'tea.PotFilled' } as never, { cause });
    expect(error).toMatchObject({
      status: 'data_loss',
      id: 'journal.unreadableEvent',
      publicMessage: 'event 0X of pots.1 is no tea.PotFilled that this server can read: has a newer one written it?',
      details: { stream: 'pots.1', id: '0X', type: 'tea.PotFilled' },
      cause,
    });
  });
});
