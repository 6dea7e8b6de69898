import { background } from '@samovar/context';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { fact, Journals, on } from '@samovar/journal';
import { event } from '@samovar/message';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { journalModule } from './module.ts';

it('binds Journals, which keep entities on the log', async () => {
  const PotFilled = event('tea.PotFilled', z.object({ cups: z.int() }));
  const fill = on(PotFilled, (pot: { cups: number }, { cups }) => {
    pot.cups += cups;
  });
  await using conn = await connect('memory:');
  const container = new Container();
  container.bind(Conn).toConstantValue(conn);
  container.load(journalModule);
  const journal = container.get(Journals).of({ initial: () => ({ cups: 0 }), folds: [fill] });
  const { state, head } = await journal.change(background, 'pots.1', () => [fact(PotFilled, { cups: 6 })]);
  expect(state).toEqual({ cups: 6 });
  expect(await conn.head(background, 'pots.1')).toBe(head);
});
