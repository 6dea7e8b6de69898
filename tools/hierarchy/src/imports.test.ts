import { describe, expect, it } from 'vitest';
import { parseImports } from './imports.ts';

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
    expect(parseImports('a.ts', `\n\n${source}\n\nexport const more = 'a line or two further down';`)).toEqual({
      imports: [{ specifier: 'x', line: 3, typeOnly }],
      fault: undefined,
    });
  });

  it.each(["// import 'x'", 'const s = "import \'x\'";', 'const a = await import(name);', 'export const a = 1;'])(
    'finds none in: %s',
    (source) => {
      expect(parseImports('a.ts', source).imports).toEqual([]);
    },
  );

  it('tells where it cannot read on', () => {
    expect(parseImports('a.ts', 'const a = 1;\nimport {').fault).toMatchObject({ line: 2 });
  });
});
