import { describe, expect, it } from 'vitest';
import { parseImports } from './imports.ts';
import { parseTree } from './tree.ts';

const parse = (source: string) => parseImports(parseTree('a.ts', source));

describe('parseImports', () => {
  it.each([
    ["import { a } from 'x';", false],
    ["import 'x';", false],
    ["import { type A } from 'x';", false],
    ["import type { A } from 'x';", true],
    ["export { a } from 'x';", false],
    ["export type { A } from 'x';", true],
    ["export * from 'x';", false],
    ["const a = await import('x');", false],
    ["type A = import('x').A;", true],
    ["type A = typeof import('x');", true],
  ])('finds the module in: %s', (source, typeOnly) => {
    expect(parse(`\n\n${source}\n\nexport const more = 'a line or two further down';`)).toMatchObject([
      { specifier: 'x', line: 3, typeOnly },
    ]);
  });

  it.each(["// import 'x'", 'const s = "import \'x\'";', 'const a = await import(name);', 'export const a = 1;'])(
    'finds none in: %s',
    (source) => {
      expect(parse(source)).toEqual([]);
    },
  );

  it.each([
    ["import { a, type B, c as d } from 'x';", ['a', 'c']],
    ["export { a, type B } from 'x';", ['a']],
    ["import { type A } from 'x';", []],
    ["import * as x from 'x';", undefined],
    ["import 'x';", undefined],
  ])('knows which names are needed at run time by: %s', (source, names) => {
    expect(parse(source)[0]?.names?.map(({ imported }) => imported)).toEqual(names);
  });

  it('tells where it cannot read on', () => {
    expect(parseTree('a.ts', 'const a = 1;\nimport {').fault).toMatchObject({ line: 2 });
  });
});
