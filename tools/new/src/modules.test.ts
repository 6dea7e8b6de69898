import { describe, expect, it } from 'vitest';
import { addModule } from './modules.ts';
import { Source } from './source.ts';

const withTea = (text: string) => {
  const source = new Source('modules.ts', text);
  addModule(source, 'teaModule', '@samovar/teaimpl');
  return source.edited;
};

describe('addModule', () => {
  it.each([
    [
      '[busModule, apiModule({ port }), serverModule()]',
      '[busModule,\nteaModule, apiModule({ port }), serverModule()]',
    ],
    [
      '[busModule,\n// why\nconsumersModule, apiModule()]',
      '[busModule,\nteaModule,\n// why\nconsumersModule, apiModule()]',
    ],
    ['[apiModule()]', '[teaModule, apiModule()]'],
    ['[busModule, ...others]', '[busModule, ...others,\nteaModule]'],
    ['[busModule,\n]', '[busModule,\nteaModule,\n]'],
    ['[]', '[teaModule]'],
  ])('makes of %s', (list, expected) => {
    const text = (modules: string) =>
      `export function modules(config: Config): X[] {\n  const { a } = config;\n  return ${modules};\n}\n`;
    expect(withTea(text(list))).toBe(`import { teaModule } from '@samovar/teaimpl';\n${text(expected)}`);
  });

  it.each([
    'export const modules = [a];',
    'export function other() { return [a]; }',
    'export function modules() { return all; }',
  ])('refuses %s', (text) => {
    expect(() => withTea(text)).toThrow('modules.ts has no function modules() that returns an array');
  });
});
