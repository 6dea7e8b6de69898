import { natsLacking } from '@samovar/edatest/nats';
import { expect, it } from 'vitest';
import { benchmarks, longBenchmarks } from './benchmarks.ts';

const effort = { rounds: 1, share: 0.01 };
const { emmett, nats, ...others } = benchmarks;
const onNats = { nats, natsscale: longBenchmarks.natsscale };

it.each(Object.entries(others))('measures %s', async (_, { run }) => {
  expectNumbers(await run(effort));
});

it.skipIf(natsLacking()).each(Object.entries(onNats))('measures %s', async (_, benchmark) => {
  expectNumbers((await benchmark?.run(effort)) ?? '');
});

it('says how to install the peer that it is not given', async () => {
  expect(await emmett?.run(effort)).toMatch(/npm install --prefix/);
});

/** Every row of the tables has a median and, if it was measured in rounds, the least and greatest value. */
function expectNumbers(markdown: string): void {
  const tables = markdown.split('\n\n').filter((part) => part.startsWith('|'));
  expect(tables).not.toEqual([]);
  for (const [, , ...rows] of tables.map((lines) => lines.split('\n'))) {
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row).toMatch(/\| -?\d[\d,.]* \| (\d[\d,.]*–\d[\d,.]*)? \|/);
  }
  expect(markdown).not.toMatch(/NaN|∞|undefined/);
}
