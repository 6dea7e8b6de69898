import { expect, it } from 'vitest';
import { breaches, checkWith } from '../fixture.ts';

it.each([
  ['roots', 'packages/tea/tea/src/tea.ts', "import type { Pot } from '@samovar/pot';"],
  ['an impl and a root', 'packages/tea/teaimpl/src/service.ts', "\nimport type { Pot } from '@samovar/pot';"],
  ['a double and a root', 'packages/tea/teatest/src/fake.ts', "import type { Pot } from '@samovar/pot';"],
])('catches domains in a circle by %s', (_, path, text) => {
  expect(breaches({ [path]: text })).toEqual(['packages/pot/pot/src/pot.ts:1 domain-cycle']);
});

it('names the circle', () => {
  const [breach] = checkWith({
    'packages/tea/tea/src/tea.ts': "import type { A } from '@samovar/cup';",
    'packages/cup/cup/src/cup.ts': "import type { A } from '@samovar/pot';",
  });
  expect(breach?.message).toBe('the domains cup → pot → tea → cup import each other');
});

it.each([
  ['a test', { 'packages/tea/teaimpl/src/service.test.ts': "import type { Pot } from '@samovar/pot';" }],
  ['one way only', { 'packages/pot/potimpl/src/service.ts': "import type { tea } from '@samovar/tea';" }],
  ['within a domain', { 'packages/tea/teaimpl/src/service.ts': "import { tea } from '@samovar/tea';" }],
  ['the composition root', { 'packages/server/server/src/server.ts': '' }],
])('allows %s', (_, files) => {
  expect(breaches(files)).toEqual([]);
});
