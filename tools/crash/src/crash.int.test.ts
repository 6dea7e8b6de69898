import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { crash } from './crash.ts';

it('keeps every promise on SQLite, whoever is killed', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-crash-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { published } = await crash({ url: `sqlite:${join(folder, 'events.db')}`, rounds: 20 });
  expect(published).toBeGreaterThan(100);
});
