import { describe, expect, it } from 'vitest';
import { Refusal } from './refusal.ts';
import { Source } from './source.ts';

const added = (text: string, names: readonly string[]) => {
  const source = new Source('a.ts', text);
  source.addImport(
    'tea',
    names.map((name) => ({ name: name.replace('type ', ''), typeOnly: name.startsWith('type ') })),
  );
  return source.edited;
};

describe('addImport', () => {
  it.each([
    ["import { a } from 'tea';", ['b'], "import { a, b } from 'tea';"],
    ["import { a } from 'tea';", ['type B'], "import { a, type B } from 'tea';"],
    ["import type { A } from 'tea';", ['type B'], "import type { A, B } from 'tea';"],
    ["import type { A } from 'tea';", ['b'], "import { type A, b } from 'tea';"],
    ["import { type A } from 'tea';", ['A'], "import { A } from 'tea';"],
    ["import { a as c } from 'tea';", ['b'], "import { a as c, b } from 'tea';"],
    ["import x from 'x';\nf();", ['b'], "import { b } from 'tea';\nimport x from 'x';\nf();"],
    ["import * as t from 'tea';", ['b'], "import { b } from 'tea';\nimport * as t from 'tea';"],
  ])('makes of %s with %j', (text, names, expected) => {
    expect(added(text, names)).toBe(expected);
  });

  it.each([
    ["import { a } from 'tea';", ['a']],
    ["import { a } from 'tea';", ['type a']],
    ["import type { A } from 'tea';", ['type A']],
  ])('leaves %s alone for %j', (text, names) => {
    expect(added(text, names)).toBe(text);
  });
});

it('makes several changes at once, at one place in the order in which they were asked for', () => {
  const source = new Source('a.ts', 'one; two;');
  source.insert(9, ' four;');
  source.insert(4, ' and');
  source.insert(4, ' a half;');
  source.replace({ start: 5, end: 8 }, 'three');
  expect(source.edited).toBe('one; and a half; three; four;');
});

it('refuses what it cannot read, by name', () => {
  expect(() => new Source('src/a.ts', 'const = 1;')).toThrow(Refusal);
  expect(() => new Source('src/a.ts', 'const = 1;')).toThrow(/^src\/a\.ts cannot be read/);
});
