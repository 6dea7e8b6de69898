import { natsLacking } from '@samovar/edatest/nats';
import { expect, it } from 'vitest';
import { crash } from './crash.ts';
import { openNats, openSqlite } from './logs.ts';

it('keeps every promise on SQLite, whoever is killed', { timeout: 180_000 }, async () => {
  await using log = await openSqlite();
  const { published } = await crash({ log, rounds: 20 });
  expect(published).toBeGreaterThan(100);
});

it.skipIf(natsLacking() !== undefined)(
  'keeps every promise on NATS, whoever is killed',
  { timeout: 180_000 },
  async () => {
    await using log = await openNats();
    const victims: string[] = [];
    const { published } = await crash({ log, rounds: 20, onRound: (_, killed) => void victims.push(...killed) });
    expect(published).toBeGreaterThan(100);
    expect(victims).toContain('server');
  },
);
